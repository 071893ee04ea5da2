// Straightforward adjoint of the LSTM with elementwise weights: forward keeps each step's gates, then one loop back.
#include <cmath>
#include <cstring>
#include <vector>
static inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
// Weights: main is layers x 8 x d (weights f i o g, biases f i o g); extra: 3 x d (input scale, output scale, output bias)
// state: layers x 2 x d; sequence: n x d. Loss: mean over steps of -(label . log-softmax).
extern "C" double lstm(int layers, int d, int n, const double* main_, const double* extra, const double* state0,
                       const double* seq, double* g_main, double* g_extra) {
    const int L = layers, D = d, S = n - 1;
    std::vector<double> tape((size_t)S * L * 8 * D);  // f i o g tanh(c) c_before h_before x
    std::vector<double> prob((size_t)S * D), last((size_t)S * D), state(state0, state0 + (size_t)L * 2 * D), x(D);
    double loss = 0;
    for (int t = 0; t < S; ++t) {
        const double* in = seq + (size_t)t * D;
        for (int j = 0; j < D; ++j) x[j] = in[j] * extra[j];
        for (int l = 0; l < L; ++l) {
            const double* w = main_ + (size_t)l * 8 * D;
            const double* b = w + 4 * D;
            double *h = &state[(size_t)l * 2 * D], *c = h + D;
            double* k = &tape[((size_t)t * L + l) * 8 * D];
            for (int j = 0; j < D; ++j) {
                double f = sigmoid(x[j] * w[j] + b[j]);
                double i = sigmoid(h[j] * w[D + j] + b[D + j]);
                double o = sigmoid(x[j] * w[2 * D + j] + b[2 * D + j]);
                double g = std::tanh(h[j] * w[3 * D + j] + b[3 * D + j]);
                k[j] = f; k[D + j] = i; k[2 * D + j] = o; k[3 * D + j] = g;
                k[5 * D + j] = c[j]; k[6 * D + j] = h[j]; k[7 * D + j] = x[j];
                c[j] = c[j] * f + i * g;
                double tc = std::tanh(c[j]);
                k[4 * D + j] = tc;
                h[j] = o * tc;
                x[j] = h[j];
            }
        }
        double* p = &prob[(size_t)t * D];
        std::memcpy(&last[(size_t)t * D], x.data(), D * sizeof(double));
        double sum = 0;
        for (int j = 0; j < D; ++j) { p[j] = x[j] * extra[D + j] + extra[2 * D + j]; sum += std::exp(p[j]); }
        double lse = std::log(sum + 2.0);
        const double* y = seq + (size_t)(t + 1) * D;
        for (int j = 0; j < D; ++j) { loss -= y[j] * (p[j] - lse); }
        for (int j = 0; j < D; ++j) p[j] = std::exp(p[j]) / (sum + 2.0);
    }
    const double scale = 1.0 / ((double)S * D);
    std::vector<double> g_state((size_t)L * 2 * D, 0.0), gx(D);
    for (int t = S; t-- > 0;) {
        const double *p = &prob[(size_t)t * D], *y = seq + (size_t)(t + 1) * D, *xl = &last[(size_t)t * D];
        double total = 0;
        for (int j = 0; j < D; ++j) total += y[j];
        for (int j = 0; j < D; ++j) {
            double g = scale * (total * p[j] - y[j]);
            g_extra[D + j] += g * xl[j]; g_extra[2 * D + j] += g; gx[j] = g * extra[D + j];
        }
        for (int l = L; l-- > 0;) {
            const double *w = main_ + (size_t)l * 8 * D, *k = &tape[((size_t)t * L + l) * 8 * D];
            double *gw = g_main + (size_t)l * 8 * D, *gb = gw + 4 * D, *gh = &g_state[(size_t)l * 2 * D], *gc = gh + D;
            for (int j = 0; j < D; ++j) {
                double f = k[j], i = k[D + j], o = k[2 * D + j], g = k[3 * D + j], tc = k[4 * D + j];
                double c = k[5 * D + j], h = k[6 * D + j], xi = k[7 * D + j];
                double dh = gh[j] + gx[j], dc = gc[j] + dh * o * (1 - tc * tc);
                double df = dc * c * f * (1 - f), di = dc * g * i * (1 - i), dg = dc * i * (1 - g * g);
                double dO = dh * tc * o * (1 - o);
                gw[j] += df * xi; gb[j] += df; gw[D + j] += di * h; gb[D + j] += di;
                gw[2 * D + j] += dO * xi; gb[2 * D + j] += dO; gw[3 * D + j] += dg * h; gb[3 * D + j] += dg;
                gx[j] = df * w[j] + dO * w[2 * D + j];
                gh[j] = di * w[D + j] + dg * w[3 * D + j];
                gc[j] = dc * f;
            }
        }
        const double* in = seq + (size_t)t * D;
        for (int j = 0; j < D; ++j) g_extra[j] += gx[j] * in[j];
    }
    return loss * scale;
}
