// The Jacobian of bundle adjustment's residuals, straightforwardly: numbers that carry their partial derivatives by the
// fifteen numbers that an observation depends on (camera: rotation 3, centre 3, focal length, principal point 2,
// distortion 2; point 3; weight), one observation after the other.
#include <cmath>
#include <cstdint>
constexpr int N = 15;
struct Dual {
    double v;
    double d[N];
};
static inline Dual constant(double v) {
    Dual y{v, {}};
    return y;
}
static inline Dual variable(double v, int k) {
    Dual y{v, {}};
    y.d[k] = 1.0;
    return y;
}
static inline Dual chained(const Dual& x, double v, double slope) {
    Dual y;
    y.v = v;
    for (int k = 0; k < N; ++k) y.d[k] = slope * x.d[k];
    return y;
}
static inline Dual operator+(const Dual& a, const Dual& b) {
    Dual y;
    y.v = a.v + b.v;
    for (int k = 0; k < N; ++k) y.d[k] = a.d[k] + b.d[k];
    return y;
}
static inline Dual operator-(const Dual& a, const Dual& b) {
    Dual y;
    y.v = a.v - b.v;
    for (int k = 0; k < N; ++k) y.d[k] = a.d[k] - b.d[k];
    return y;
}
static inline Dual operator*(const Dual& a, const Dual& b) {
    Dual y;
    y.v = a.v * b.v;
    for (int k = 0; k < N; ++k) y.d[k] = a.d[k] * b.v + a.v * b.d[k];
    return y;
}
static inline Dual operator/(const Dual& a, const Dual& b) {
    Dual y;
    const double r = 1.0 / b.v;
    y.v = a.v * r;
    for (int k = 0; k < N; ++k) y.d[k] = (a.d[k] - y.v * b.d[k]) * r;
    return y;
}
static inline Dual dot(const Dual* a, const Dual* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
static inline void cross(const Dual* a, const Dual* b, Dual* y) {
    y[0] = a[1] * b[2] - a[2] * b[1];
    y[1] = a[2] * b[0] - a[0] * b[2];
    y[2] = a[0] * b[1] - a[1] * b[0];
}
static inline void rodrigues(const Dual* rotation, const Dual* x, Dual* y) {
    const Dual square = dot(rotation, rotation);
    if (square.v > 1e-20) {
        const double root = std::sqrt(square.v);
        const Dual angle = chained(square, root, 0.5 / root);
        const Dual c = chained(angle, std::cos(root), -std::sin(root)), s = chained(angle, std::sin(root), std::cos(root));
        Dual w[3], turned[3];
        for (int i = 0; i < 3; ++i) w[i] = rotation[i] / angle;
        cross(w, x, turned);
        const Dual along = dot(w, x) * (constant(1.0) - c);
        for (int i = 0; i < 3; ++i) y[i] = x[i] * c + turned[i] * s + w[i] * along;
    } else {
        cross(rotation, x, y);
        for (int i = 0; i < 3; ++i) y[i] = y[i] + x[i];
    }
}
// cameras n x 11, points n x 3, of each observation a weight, what was seen, camera and point.
extern "C" void bundle_adjustment(int64_t n, const double* cameras, const double* points, const double* weights,
                                  const double* features, const int64_t* of_camera, const int64_t* of_point,
                                  double* by_camera, double* by_point, double* by_weight) {
    for (int64_t o = 0; o < n; ++o) {
        const double *from_camera = cameras + 11 * of_camera[o], *from_point = points + 3 * of_point[o];
        Dual camera[11], moved[3], seen[3];
        for (int k = 0; k < 11; ++k) camera[k] = variable(from_camera[k], k);
        for (int k = 0; k < 3; ++k) moved[k] = variable(from_point[k], 11 + k) - camera[3 + k];
        const Dual weight = variable(weights[o], 14);
        rodrigues(camera, moved, seen);
        const Dual flat[2] = {seen[0] / seen[2], seen[1] / seen[2]};
        const Dual r = flat[0] * flat[0] + flat[1] * flat[1];
        const Dual distortion = constant(1.0) + r * (camera[9] + r * camera[10]);
        for (int i = 0; i < 2; ++i) {
            const Dual e = weight * (flat[i] * distortion * camera[6] + camera[7 + i] - constant(features[2 * o + i]));
            for (int k = 0; k < 11; ++k) by_camera[(2 * o + i) * 11 + k] = e.d[k];
            for (int k = 0; k < 3; ++k) by_point[(2 * o + i) * 3 + k] = e.d[11 + k];
            by_weight[2 * o + i] = e.d[14];
        }
    }
}
