// A semantic space by latent semantic analysis: see semantic_space.hpp. The method is subspace iteration (Halko,
// Martinsson and Tropp 2011, algorithm 4.4) followed by a small dense eigenproblem that Jacobi rotations solve.
#include "runtime/memory/semantic_space.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/memory/numeric.hpp"

namespace aios::memory {
namespace {

// Directions computed beside the wanted ones, so that those converge; and rounds of the iteration.
constexpr std::uint32_t kSpareDirections = 8;
constexpr int kRounds = 3;
constexpr int kMaxSweeps = 12;

// A dense matrix, row after row.
struct Dense {
    Dense(std::uint32_t r, std::uint32_t c) : rows(r), columns(c), values(std::size_t{r} * c) {}
    [[nodiscard]] std::span<float> row(std::uint32_t at) {
        return std::span(values).subspan(std::size_t{at} * columns, columns);
    }
    std::uint32_t rows;
    std::uint32_t columns;
    std::vector<float> values;
};

// Numbers in [-0.5, 0.5) from a fixed sequence (xorshift): a start that no direction of the data is likely to be
// orthogonal to.
void fill_start(Dense& matrix) {
    std::uint64_t state = 88'172'645'463'325'252;
    for (float& value : matrix.values) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        value = static_cast<float>(static_cast<double>(state >> 40) / 16'777'216.0 - 0.5);
    }
}

void add_scaled(std::span<float> to, std::span<const float> from, float factor) {
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] += factor * from[i];
}

// Makes the columns orthonormal by modified Gram-Schmidt, row by row in memory. A column that vanishes stays zero.
void orthonormalise(Dense& matrix) {
    const std::uint32_t n = matrix.columns;
    std::vector<float> products(n);
    for (std::uint32_t j = 0; j < n; ++j) {
        double norm = 0;
        for (std::uint32_t r = 0; r < matrix.rows; ++r) {
            const double value = matrix.row(r)[j];
            norm += value * value;
        }
        const auto scale = static_cast<float>(norm > 1e-20 ? 1 / std::sqrt(norm) : 0);
        std::ranges::fill(products, 0.0F);
        for (std::uint32_t r = 0; r < matrix.rows; ++r) {
            const std::span<float> row = matrix.row(r);
            row[j] *= scale;
            for (std::uint32_t c = j + 1; c < n; ++c)
                products[c] += row[j] * row[c];
        }
        for (std::uint32_t r = 0; r < matrix.rows; ++r) {
            const std::span<float> row = matrix.row(r);
            for (std::uint32_t c = j + 1; c < n; ++c)
                row[c] -= row[j] * products[c];
        }
    }
}

// Eigenvectors of a symmetric matrix by cyclic Jacobi rotations: afterwards `matrix` is nearly diagonal and row i of
// `vectors` is the eigenvector that belongs to its entry i.
void jacobi(std::vector<double>& matrix, std::vector<double>& vectors, std::uint32_t n) {
    const auto at = [n](std::uint32_t r, std::uint32_t c) { return std::size_t{r} * n + c; };
    for (std::uint32_t i = 0; i < n; ++i)
        vectors[at(i, i)] = 1;
    double scale = 0;
    for (const double value : matrix)
        scale += value * value;
    for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
        double rest = 0;
        for (std::uint32_t p = 0; p < n; ++p) {
            for (std::uint32_t q = p + 1; q < n; ++q) {
                const double off = matrix[at(p, q)];
                rest += off * off;
                if (off * off <= 1e-24 * scale) continue;
                const double theta = (matrix[at(q, q)] - matrix[at(p, p)]) / (2 * off);
                const double t = (theta >= 0 ? 1.0 : -1.0) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
                const double c = 1 / std::sqrt(t * t + 1);
                const double s = t * c;
                for (std::uint32_t i = 0; i < n; ++i) {
                    const double x = matrix[at(p, i)];
                    const double y = matrix[at(q, i)];
                    matrix[at(p, i)] = c * x - s * y;
                    matrix[at(q, i)] = s * x + c * y;
                }
                for (std::uint32_t i = 0; i < n; ++i) {
                    const double x = matrix[at(i, p)];
                    const double y = matrix[at(i, q)];
                    matrix[at(i, p)] = c * x - s * y;
                    matrix[at(i, q)] = s * x + c * y;
                    const double u = vectors[at(p, i)];
                    const double v = vectors[at(q, i)];
                    vectors[at(p, i)] = c * u - s * v;
                    vectors[at(q, i)] = s * u + c * v;
                }
            }
        }
        if (rest <= 1e-14 * scale) return;
    }
}

// The training rows, each scaled to length one.
TermMatrix training_rows(const TermMatrix& matrix) {
    TermMatrix rows;
    rows.starts.push_back(0);
    const std::uint32_t stride = (matrix.rows() + kMaxTrainingPassages - 1) / kMaxTrainingPassages;
    for (std::uint32_t r = 0; r < matrix.rows(); r += stride) {
        double norm = 0;
        for (const WeightedTerm& entry : matrix.row(r))
            norm += double{entry.weight} * entry.weight;
        if (norm <= 0) continue;
        const auto scale = static_cast<float>(1 / std::sqrt(norm));
        for (const WeightedTerm& entry : matrix.row(r))
            rows.entries.push_back({entry.term, entry.weight * scale});
        rows.starts.push_back(static_cast<std::uint32_t>(rows.entries.size()));
    }
    return rows;
}

} // namespace

std::uint32_t space_dimensions(std::uint32_t passages) {
    const std::uint32_t wanted = std::min(kMaxDimensions, passages / kPassagesPerDimension) / 4 * 4;
    return wanted < kMinDimensions ? 0 : wanted;
}

float space_weight(double count, double rarity) { return static_cast<float>(natural_log(1 + count) * rarity); }

std::vector<float> term_space(const TermMatrix& matrix, std::uint32_t terms, std::uint32_t dimensions) {
    const TermMatrix rows = training_rows(matrix);
    const std::uint32_t width = dimensions + kSpareDirections;
    Dense left(rows.rows(), width);
    Dense right(terms, width);
    fill_start(right);
    for (int round = 0; round < kRounds; ++round) {
        std::ranges::fill(left.values, 0.0F);
        for (std::uint32_t r = 0; r < rows.rows(); ++r) {
            for (const WeightedTerm& entry : rows.row(r))
                add_scaled(left.row(r), right.row(entry.term), entry.weight);
        }
        orthonormalise(left);
        std::ranges::fill(right.values, 0.0F);
        for (std::uint32_t r = 0; r < rows.rows(); ++r) {
            for (const WeightedTerm& entry : rows.row(r))
                add_scaled(right.row(entry.term), left.row(r), entry.weight);
        }
    }
    // right = A^T Q with Q orthonormal: the eigenvectors of right^T right turn its columns into singular vectors times
    // singular values.
    std::vector<double> square(std::size_t{width} * width);
    for (std::uint32_t t = 0; t < terms; ++t) {
        const std::span<const float> row = right.row(t);
        for (std::uint32_t i = 0; i < width; ++i) {
            if (row[i] == 0) continue;
            for (std::uint32_t j = 0; j < width; ++j)
                square[std::size_t{i} * width + j] += double{row[i]} * row[j];
        }
    }
    std::vector<double> turns(square.size());
    jacobi(square, turns, width);
    std::vector<std::uint32_t> order(width);
    std::iota(order.begin(), order.end(), 0U);
    const auto value = [&](std::uint32_t i) { return square[std::size_t{i} * width + i]; };
    std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) { return value(a) > value(b); });

    std::vector<float> space(std::size_t{terms} * dimensions);
    for (std::uint32_t d = 0; d < dimensions; ++d) {
        const double singular = std::sqrt(std::max(value(order[d]), 0.0));
        if (singular < 1e-6) continue;
        const std::span turn = std::span(turns).subspan(std::size_t{order[d]} * width, width);
        for (std::uint32_t t = 0; t < terms; ++t) {
            const std::span<const float> row = right.row(t);
            double sum = 0;
            for (std::uint32_t i = 0; i < width; ++i)
                sum += turn[i] * row[i];
            space[std::size_t{t} * dimensions + d] = static_cast<float>(sum / singular);
        }
    }
    return space;
}

} // namespace aios::memory
