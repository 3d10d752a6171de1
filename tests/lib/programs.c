/* SPDX-License-Identifier: Apache-2.0 */
/* Prints number and name of all BPF programs in the kernel, one a line: what a test that looks for left-overs compares. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
	unsigned id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info;
		unsigned len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue; /* it went just now */
		memset(&info, 0, sizeof(info));
		if (!bpf_obj_get_info_by_fd(fd, &info, &len))
			printf("%u %s\n", id, info.name);
		(void)close(fd);
	}
	if (errno == ENOENT)
		return 0;
	perror("cannot list BPF programs");
	return 1;
}
