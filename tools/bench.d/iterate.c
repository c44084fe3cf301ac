// SPDX-License-Identifier: GPL-2.0-only
/*
 * The peer: every record of a trace.dat through libtracecmd, as a program over that library would read it.
 *
 *   iterate none FILE      time only
 *   iterate fields FILE    pid and three number fields of every record, the fields looked up once per event
 */
#include <stdio.h>
#include <string.h>
#include <trace-cmd.h>

static unsigned long long count, sum;
static struct tep_handle *tep;
static struct tep_format_field *fields[65536][3];
static char seen[65536];

static int time_only(struct tracecmd_input *input, struct tep_record *record, int cpu, void *data)
{
	count++;
	sum += record->ts;
	return 0;
}

static void look_up(int id)
{
	struct tep_event *event = tep_find_event(tep, id);
	struct tep_format_field *field = event ? event->format.fields : NULL;

	for (int k = 0; k < 3 && field; field = field->next)
		if (field->size <= 8) fields[id][k++] = field;
	seen[id] = 1;
}

static int three_fields(struct tracecmd_input *input, struct tep_record *record, int cpu, void *data)
{
	int id = tep_data_type(tep, record) & 0xffff;

	sum += tep_data_pid(tep, record);
	if (!seen[id]) look_up(id);
	for (int k = 0; k < 3; k++) {
		unsigned long long value;
		if (fields[id][k] && !tep_read_number_field(fields[id][k], record->data, &value)) sum += value;
	}
	return time_only(input, record, cpu, data);
}

int main(int argc, char **argv)
{
	struct tracecmd_input *input = argc == 3 ? tracecmd_open(argv[2], 0) : NULL;

	if (!input) return 1;
	tep = tracecmd_get_tep(input);
	/* An instance of the capture is an input of its own. */
	struct tracecmd_input *inputs[16] = { input };
	int buffers = tracecmd_buffer_instances(input), used = 1;
	for (int i = 0; i < buffers && used < 16; i++) {
		struct tracecmd_input *instance = tracecmd_buffer_instance_handle(input, i);
		if (instance) inputs[used++] = instance;
	}
	tracecmd_iterate_events_multi(inputs, used, strcmp(argv[1], "fields") ? time_only : three_fields, NULL);
	printf("%llu %llx\n", count, sum);
	return 0;
}
