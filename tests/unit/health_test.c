/* SPDX-License-Identifier: Apache-2.0 */
/* monitor/health.c: when the monitor's figures are to be doubted, and what they cost, sample after sample. */
#include <math.h>
#include <string.h>

#include "monitor/sample.h"
#include "t.h"

/* The sample a second after another one, with its counts. */
static struct sample after(const struct sample *then)
{
	struct sample s = {
		.mono_ns = then ? then->mono_ns + 1000000000 : 5000000000, .interval_s = then ? 1 : 0, .capacity = 1000,
		.has_cost = true,
	};

	if (then) {
		s.health = then->health;
		s.program = then->program;
		s.cpu_s = then->cpu_s;
		s.n_flows = then->n_flows;
	}
	return s;
}

static void judge(struct sample *s, const struct sample *then)
{
	health_judge(s, then, &s->monitor);
}

TEST(all_is_well)
{
	struct sample a = after(NULL), b;

	judge(&a, NULL);
	b = after(&a);
	b.n_flows = 800;
	judge(&b, &a);
	eq_u64(b.monitor.reasons, 0);
	eq_str(health_state(&b.monitor), "ok");
	eq_str(b.monitor.sentences, "");
	ok(b.monitor.fill == 0.8);
}

TEST(what_is_lost_stays_lost)
{
	struct sample a = after(NULL), b;

	a.health.lost = 1;
	a.health.lost_bytes = 190;
	a.n_flows = 1000;
	judge(&a, NULL);
	eq_str(a.monitor.sentences, "1 packet (190 B) was not counted, for the flow table was full: figures are too low.");
	b = after(&a);
	b.n_flows = 10; /* there is room again: the totals are wrong all the same */
	judge(&b, &a);
	eq_u64(b.monitor.reasons, 1u << HEALTH_LOST);
	eq_str(health_state(&b.monitor), "amber");
}

TEST(a_table_that_fills_up_is_told_before_it_is_full)
{
	struct sample a = after(NULL);

	a.n_flows = 801;
	judge(&a, NULL);
	eq_u64(a.monitor.reasons, 1u << HEALTH_FULL);
	eq_str(a.monitor.sentences, "The flow table is 80 % full: when it is, packets of new flows will not be counted.");
	a.n_flows = 1300; /* each processor has slots beside it */
	judge(&a, NULL);
	ok(a.monitor.fill == 1);
	eq_str(a.monitor.sentences, "The flow table is full: packets of new flows may not be counted.");
}

TEST(a_table_without_room_is_not_divided_by)
{
	struct sample a = after(NULL);

	a.capacity = 0;
	judge(&a, NULL);
	ok(a.monitor.fill == 0);
}

TEST(late_samples_tell_that_the_machine_is_overloaded)
{
	struct sample a = after(NULL), b;

	judge(&a, NULL);
	b = after(&a);
	b.interval_s = 2.34;
	judge(&b, &a);
	eq_u64(b.monitor.reasons, 1u << HEALTH_LATE);
	eq_str(b.monitor.sentences, "Samples come late (2.3 s apart): this machine is overloaded.");
}

TEST(unreadable_frames_are_told_for_ten_seconds)
{
	struct sample s[14];

	s[0] = after(NULL);
	judge(&s[0], NULL);
	for (int i = 1; i < 14; i++) {
		s[i] = after(&s[i - 1]);
		if (i == 1)
			s[i].health.truncated = 3;
		if (i == 2)
			s[i].health.unknown = 1;
		judge(&s[i], &s[i - 1]);
	}
	eq_u64(s[1].monitor.reasons, 1u << HEALTH_TRUNCATED);
	eq_u64(s[10].monitor.reasons, 1u << HEALTH_TRUNCATED | 1u << HEALTH_UNKNOWN);
	eq_u64(s[11].monitor.reasons, 1u << HEALTH_UNKNOWN);
	eq_u64(s[12].monitor.reasons, 0);
}

TEST(a_capture_tells_at_once_and_has_no_cost)
{
	struct sample a = after(NULL);

	a.has_cost = false;
	a.health.unknown = 2;
	judge(&a, NULL);
	eq_u64(a.monitor.reasons, 1u << HEALTH_UNKNOWN);
	ok(!a.monitor.has_cost);
}

TEST(all_sentences_fit)
{
	struct sample a = after(NULL), b;
	size_t len;

	judge(&a, NULL);
	b = after(&a);
	b.health = (struct flow_health) { .lost = UINT64_MAX, .lost_bytes = UINT64_MAX, .truncated = 1, .unknown = 1 };
	b.interval_s = 1e9;
	judge(&b, &a);
	len = strlen(b.monitor.sentences);
	ok(len + 1 < HEALTH_SENTENCES_SIZE && b.monitor.sentences[len - 1] == '.');
}

TEST(cost_is_what_the_kernel_measured)
{
	struct sample a = after(NULL), b;

	judge(&a, NULL);
	ok(isnan(a.monitor.ns_per_packet));
	ok(strstr(a.monitor.not_measured, "--stats"));
	a.program.enabled = true;
	judge(&a, NULL);
	eq_str(a.monitor.not_measured, "no packet was seen yet");
	b = after(&a);
	b.program.run_ns = 5000;
	b.program.runs = 200;
	judge(&b, &a);
	ok(b.monitor.ns_per_packet == 25 && !b.monitor.not_measured);
}

TEST(processor_share_is_of_the_last_whole_interval)
{
	struct sample a = after(NULL), b, c;

	a.cpu_s = 1;
	judge(&a, NULL);
	ok(isnan(a.monitor.cpu_share));
	b = after(&a);
	b.cpu_s = 1.25;
	judge(&b, &a);
	ok(b.monitor.cpu_share == 0.25);
	c = after(&b);
	c.interval_s = 0.01; /* out of turn, for a question */
	c.cpu_s = 1.26;
	judge(&c, &b);
	ok(c.monitor.cpu_share == 0.25);
}
