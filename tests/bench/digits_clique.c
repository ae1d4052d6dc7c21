/* The most columns that keep all in-group slips apart, by exhaustive search.
 *
 *     cc -O3 -o digits_clique tests/bench/digits_clique.c && ./digits_clique
 *
 * Two columns a, b are compatible if a*e != b*f for all errors e, f of one slip. Up to sign a column
 * is a power of a primitive root of GF(9973), so compatibility depends on the difference of two
 * exponents modulo 4986 and one column may be taken to be 1. What remains is a maximum clique
 * among its neighbours: branch and bound with greedy colouring. Takes about three minutes; the
 * last line says 15.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { P = 9973, ROOT = 11, HALF = (P - 1) / 2, WORDS = HALF / 64 + 1 };

static int power[P], exponent[P], vertex[HALF], count, words;
static char clashes[HALF];
static uint64_t (*neighbours)[WORDS];
static int chosen[64], best;

static int modulo(int n) { return (n % HALF + HALF) % HALF; }

static void find_clashes(void) {
    static const int unit[] = {1, 9, 11, 99, 101}, places[] = {4, 3, 3, 2, 2};
    int errors[200], n = 0;
    for (int kind = 0; kind < 5; kind++)
        for (int place = 0, ten = 1; place < places[kind]; place++, ten *= 10)
            for (int digit = 1; digit < 10; digit++)
                errors[n++] = exponent[digit * unit[kind] * ten % P] % HALF;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            clashes[modulo(errors[i] - errors[j])] = 1;
}

/* Order the neighbours of column 1 so that those with fewest compatible others come last. */
static void find_vertices(void) {
    int left[HALF], degree[HALF];
    for (int i = 0; i < HALF; i++)
        if (!clashes[i]) left[count++] = i;
    for (int i = 0; i < count; i++) {
        degree[i] = 0;
        for (int j = 0; j < count; j++) degree[i] += !clashes[modulo(left[i] - left[j])];
    }
    for (int end = count - 1; end >= 0; end--) {
        int least = 0;
        for (int i = 1; i <= end; i++)
            if (degree[i] < degree[least]) least = i;
        vertex[end] = left[least];
        left[least] = left[end];
        degree[least] = degree[end];
        for (int i = 0; i < end; i++) degree[i] -= !clashes[modulo(left[i] - vertex[end])];
    }
    words = count / 64 + 1;
    neighbours = calloc(count, sizeof *neighbours);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < count; j++)
            if (!clashes[modulo(vertex[i] - vertex[j])])
                neighbours[i][j / 64] |= UINT64_C(1) << j % 64;
}

static void report(int size) {
    best = size;
    printf("%d: 1", size + 1);
    for (int i = 0; i < size; i++) printf(" %d", power[vertex[chosen[i]]]);
    puts("");
    fflush(stdout);
}

static void extend(const uint64_t *candidates, int size) {
    uint64_t pool[WORDS], open[WORDS], left[WORDS], next[WORDS];
    int *order = malloc(2 * count * sizeof *order), *colour = order + count, n = 0, more = 1;
    memcpy(pool, candidates, sizeof pool);
    memcpy(left, candidates, sizeof left);
    for (int shade = 1; more; shade++) {
        memcpy(open, left, sizeof open);
        more = 0;
        for (int w = 0; w < words; w++)
            while (open[w]) {
                int v = w * 64 + __builtin_ctzll(open[w]);
                open[w] &= open[w] - 1;
                left[w] &= ~(UINT64_C(1) << v % 64);
                for (int u = w; u < words; u++) open[u] &= ~neighbours[v][u];
                if (size + shade > best) order[n] = v, colour[n++] = shade;
            }
        for (int w = 0; w < words; w++) more |= left[w] != 0;
    }
    while (n-- && size + colour[n] > best) {
        int v = order[n], any = 0;
        chosen[size] = v;
        for (int w = 0; w < WORDS; w++) any |= (next[w] = pool[w] & neighbours[v][w]) != 0;
        if (any) extend(next, size + 1);
        else if (size + 1 > best) report(size + 1);
        pool[v / 64] &= ~(UINT64_C(1) << v % 64);
    }
    free(order);
}

int main(void) {
    for (int k = 0, x = 1; k < P - 1; k++, x = x * ROOT % P) power[k] = x, exponent[x] = k;
    find_clashes();
    find_vertices();
    uint64_t all[WORDS] = {0};
    for (int i = 0; i < count; i++) all[i / 64] |= UINT64_C(1) << i % 64;
    extend(all, 0);
    printf("at most %d columns\n", best + 1);
    return 0;
}
