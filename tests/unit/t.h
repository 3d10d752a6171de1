/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole test framework: TEST(name) { ... } defines a test and enters it in the table that
 * main() here runs in order. One TAP line per test, however many assertions it makes; each that
 * fails prints its expression and both values. Include in one file per program, which has no
 * main of its own. An argument runs only the tests whose names contain it.
 */
#ifndef TUNLAB_TESTS_T_H
#define TUNLAB_TESTS_T_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { T_TESTS_MAX = 256, T_TEXT_MAX = 256 };

struct t_test {
	const char *name;
	void (*run)(void);
};

static struct t_test t_tests[T_TESTS_MAX];
static int t_n_tests;
static int t_failures;            /* of the test running */
static const char *t_skip_reason; /* of the test running; NULL: not skipped */
static char t_skip_text[T_TEXT_MAX] __attribute__((unused)); /* by tests that never skip */

static inline void t_register(const char *name, void (*run)(void))
{
	if (t_n_tests < T_TESTS_MAX)
		t_tests[t_n_tests] = (struct t_test){name, run};
	t_n_tests++; /* one too many is noticed by main */
}

/* Constructors of one file run in the order they are written. */
#define TEST(test_name)                                                                            \
	static void test_name(void);                                                               \
	__attribute__((constructor)) static void t_register_##test_name(void)                      \
	{                                                                                          \
		t_register(#test_name, test_name);                                                 \
	}                                                                                          \
	static void test_name(void)

__attribute__((format(printf, 3, 4)))
static inline bool t_fail(const char *file, int line, const char *format, ...)
{
	va_list ap;

	printf("# %s:%d: ", file, line);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	t_failures++;
	return false;
}

/* Say something that stands next to the failures that follow, as the row of a table. */
__attribute__((format(printf, 1, 2)))
static inline void t_note(const char *format, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
}

static inline bool t_ok(bool holds, const char *text, const char *file, int line)
{
	return holds || t_fail(file, line, "%s: false", text);
}

static inline bool t_eq_u64(uint64_t a, uint64_t b, const char *text_a, const char *text_b,
			    const char *file, int line)
{
	return a == b || t_fail(file, line, "%s == %s: %" PRIu64 " (0x%" PRIx64 ") is not %" PRIu64
				" (0x%" PRIx64 ")", text_a, text_b, a, a, b, b);
}

static inline bool t_eq_i64(int64_t a, int64_t b, const char *text_a, const char *text_b,
			    const char *file, int line)
{
	return a == b || t_fail(file, line, "%s == %s: %" PRId64 " is not %" PRId64, text_a, text_b,
				a, b);
}

static inline bool t_eq_str(const char *a, const char *b, const char *text_a, const char *text_b,
			    const char *file, int line)
{
	if (a && b ? strcmp(a, b) == 0 : a == b)
		return true;
	return t_fail(file, line, "%s == %s: \"%s\" is not \"%s\"", text_a, text_b,
		      a ? a : "(null)", b ? b : "(null)");
}

static inline bool t_near(double a, double b, double tolerance, const char *text_a,
			  const char *text_b, const char *file, int line)
{
	double distance = a > b ? a - b : b - a;

	return distance <= tolerance || t_fail(file, line, "%s ~ %s: %g is not %g +- %g", text_a,
					       text_b, a, b, tolerance);
}

/* Each is true when it holds, so that a test may stop where going on is no use. */
#define ok(condition) t_ok((condition), #condition, __FILE__, __LINE__)
#define eq_u64(a, b) t_eq_u64((a), (b), #a, #b, __FILE__, __LINE__)
#define eq_i64(a, b) t_eq_i64((a), (b), #a, #b, __FILE__, __LINE__)
#define eq_str(a, b) t_eq_str((a), (b), #a, #b, __FILE__, __LINE__)
#define near(a, b, tolerance) t_near((a), (b), (tolerance), #a, #b, __FILE__, __LINE__)

/* Leave the test, with the reason (a printf format) on its line, unless it has failed before. */
#define skip(...)                                                                                  \
	do {                                                                                       \
		(void)snprintf(t_skip_text, sizeof(t_skip_text), __VA_ARGS__);                     \
		t_skip_reason = t_skip_text;                                                       \
		return;                                                                            \
	} while (0)

static inline double t_now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* a clock every kernel has */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int n_run = 0, n_failed = 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* lines stay in order with a sanitizer's report */
	if (t_n_tests > T_TESTS_MAX) {
		printf("Bail out! %d tests are too many for T_TESTS_MAX\n", t_n_tests);
		return 1;
	}
	for (int i = 0; i < t_n_tests; i++) {
		if (argc > 1 && !strstr(t_tests[i].name, argv[1]))
			continue;
		double began_s = t_now_s(), took_s;

		t_failures = 0;
		t_skip_reason = NULL;
		t_tests[i].run();
		took_s = t_now_s() - began_s;
		printf("%s %d - %s", t_failures ? "not ok" : "ok", ++n_run, t_tests[i].name);
		if (t_skip_reason && !t_failures)
			printf(" # SKIP %s", t_skip_reason);
		else if (took_s >= 0.5)
			printf(" # %.1f s", took_s);
		printf("\n");
		n_failed += t_failures != 0;
	}
	printf("1..%d\n", n_run);
	return n_failed != 0;
}

#endif
