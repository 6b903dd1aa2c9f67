// Says what a Raspberry Pi's firmware says of the board, where its kernel shows it: /proc/device-tree/model and
// /proc/device-tree/system/linux,revision. A file mounted over /proc/cpuinfo would not be seen behind ProtectProc=.
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static int model(struct seq_file *out, void *unused)
{
	return seq_write(out, "Raspberry Pi 4 Model B Rev 1.5", 31);
}

static int revision(struct seq_file *out, void *unused)
{
	return seq_write(out, "\x00\xc0\x31\x15", 4);
}

static int __init start(void)
{
	proc_mkdir("device-tree", NULL);
	proc_mkdir("device-tree/system", NULL);
	proc_create_single("device-tree/model", 0444, NULL, model);
	proc_create_single("device-tree/system/linux,revision", 0444, NULL, revision);
	return 0;
}

module_init(start);
MODULE_DESCRIPTION("The name of a board");
MODULE_LICENSE("Apache-2.0");
