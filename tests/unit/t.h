/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole test framework: TEST(name) { ... } defines a test and enters it in the table that
 * main() here runs in order. One TAP line per test, however many assertions it makes; each that
 * fails prints its expression and both values. Include in one file per program, which has no
 * main of its own. An argument runs only the tests whose names contain it. Where T_AT_ONCE is
 * defined, so many tests run at once, each in a process of its own: for those that mostly wait.
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

/* Returns whether it holds. */
static inline bool t_run(const struct t_test *test, int number)
{
	double began_s = t_now_s(), took_s;

	t_failures = 0;
	t_skip_reason = NULL;
	test->run();
	took_s = t_now_s() - began_s;
	printf("%s %d - %s", t_failures ? "not ok" : "ok", number, test->name);
	if (t_skip_reason && !t_failures)
		printf(" # SKIP %s", t_skip_reason);
	else if (took_s >= 0.5)
		printf(" # %.1f s", took_s);
	printf("\n");
	return t_failures == 0;
}

#ifdef T_AT_ONCE
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct t_process {
	pid_t pid;   /* 0: ended */
	FILE *said;
	int status;
};

static inline void t_start(const struct t_test *test, int number, struct t_process *ret)
{
	*ret = (struct t_process){.said = tmpfile()};
	ret->pid = fork();
	if (ret->pid == 0) {
		(void)dup2(fileno(ret->said), STDOUT_FILENO);
		_exit(t_run(test, number) ? 0 : 1);
	}
}

/* Waits until one more has ended. */
static inline void t_await(struct t_process *all, int n)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	for (int i = 0; i < n; i++)
		if (all[i].pid == pid) {
			all[i].pid = 0;
			all[i].status = status;
		}
}

/* What it said, and what it could not say any more. Returns whether it holds. */
static inline bool t_show(struct t_process *p, const struct t_test *test, int number)
{
	rewind(p->said);
	for (int c = getc(p->said); c != EOF; c = getc(p->said))
		(void)putchar(c);
	(void)fclose(p->said);
	if (!WIFEXITED(p->status) || WEXITSTATUS(p->status) > 1)
		printf("not ok %d - %s: it ended with status 0x%x\n", number, test->name, (unsigned)p->status);
	return p->status == 0;
}

static inline int t_run_all(const struct t_test *const *tests, int n)
{
	struct t_process all[T_TESTS_MAX];
	int n_started = 0, n_failed = 0;

	for (int shown = 0; shown < n;) {
		int running = 0;

		for (int i = shown; i < n_started; i++)
			running += all[i].pid != 0;
		if (shown < n_started && all[shown].pid == 0) {
			n_failed += !t_show(&all[shown], tests[shown], shown + 1);
			shown++;
		} else if (n_started < n && running < T_AT_ONCE) {
			t_start(tests[n_started], n_started + 1, &all[n_started]);
			n_started++;
		} else {
			t_await(all, n_started);
		}
	}
	return n_failed;
}
#else
static inline int t_run_all(const struct t_test *const *tests, int n)
{
	int n_failed = 0;

	for (int i = 0; i < n; i++)
		n_failed += !t_run(tests[i], i + 1);
	return n_failed;
}
#endif

int main(int argc, char **argv)
{
	const struct t_test *wanted[T_TESTS_MAX];
	int n = 0, n_failed;

	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* lines stay in order with a sanitizer's report */
	if (t_n_tests > T_TESTS_MAX) {
		printf("Bail out! %d tests are too many for T_TESTS_MAX\n", t_n_tests);
		return 1;
	}
	for (int i = 0; i < t_n_tests; i++)
		if (argc <= 1 || strstr(t_tests[i].name, argv[1]))
			wanted[n++] = &t_tests[i];
	n_failed = t_run_all(wanted, n);
	printf("1..%d\n", n);
	return n_failed != 0;
}

#endif
