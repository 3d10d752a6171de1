/* SPDX-License-Identifier: Apache-2.0 */
/* tunlab guess: is it this client? For labs with a secret section. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "lab/cmd/command.h"

struct guess_options {
	bool json;
	const char *lab;
};

#define AT(field) offsetof(struct guess_options, field)

static const struct command_option options[] = {
	{ "lab", OPTION_TEXT, AT(lab), "LAB", "which lab, where several run" },
	{ "json", OPTION_FLAG, AT(json), NULL, "as JSON" },
	{ 0 },
};

static const char *text_of(const cJSON *o, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(o, key)) ?: "?";
}

static double number_of(const cJSON *o, const char *key)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(o, key));
}

static void print_solution(const cJSON *answer)
{
	const cJSON *traffic = cJSON_GetObjectItem(answer, "traffic"), *to = cJSON_GetObjectItem(traffic, "to"), *peer;
	int more = cJSON_GetArraySize(to);

	printf("Right, it is %s: %s on %s, in VNI %.0f.\n", text_of(answer, "client"), text_of(answer, "address"), text_of(answer, "host"),
	       number_of(answer, "vni"));
	printf("It sends %s (%s), %s, %.0f bytes each, to ", text_of(traffic, "name"), text_of(traffic, "proto"), text_of(traffic, "rate"),
	       number_of(traffic, "size"));
	cJSON_ArrayForEach(peer, to) {
		more--;
		printf("%s%s", cJSON_GetStringValue(peer) ?: "?", more > 0 ? ", " : ".\n");
	}
	printf("Guesses: %.0f. `tunlab run … --seed %.0f` repeats this run.\n", number_of(answer, "guesses"), number_of(answer, "seed"));
}

static int run(const void *given, char *const *args, int n_args)
{
	const struct guess_options *o = given;
	cJSON *question = cJSON_CreateObject(), *answer;
	bool right;
	char *json;
	int status;

	(void)n_args;
	(void)cJSON_AddStringToObject(question, "op", "guess");
	(void)cJSON_AddStringToObject(question, "who", args[0]);
	status = ask_lab(o->lab, question, &json, NULL);
	if (status != EXIT_WELL)
		return status;
	answer = cJSON_Parse(json);
	right = cJSON_IsTrue(cJSON_GetObjectItem(answer, "right"));
	if (o->json)
		printf("%s\n", json);
	else if (right)
		print_solution(answer);
	else
		printf("No, it is not %s.\n", text_of(answer, "client"));
	cJSON_Delete(answer);
	free(json);
	return right ? EXIT_WELL : EXIT_CHECK_FAILED;
}

const struct command cmd_guess = {
	.name = "guess",
	.args = "CLIENT",
	.summary = "Say which client is the noisy one in a lab that hides it (`tunlab run mystery`).",
	.details = "CLIENT: 17, c17, host4:10001, or its address where unique. Exit status 0: right; 1: no.\n",
	.options = options,
	.options_size = sizeof(struct guess_options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
