// SPDX-License-Identifier: GPL-2.0-only
/*
 * console.c - a client's console: a tty and a printk console on a ring
 *
 * ttyCC0 (console=ttyCC0 on the kernel's command line).  Output goes to an
 * overwriting ring that keeps the last SHAREDPC_CONSOLE_OUT bytes whether or
 * not anybody reads; when the console is registered the kernel replays its
 * log into it, so that the ring starts with the kernel's first line.  Input
 * comes from a small ring that the boot image fills.
 *
 * The boot image does not have this console: its own is the machine's.
 */
#include <linux/console.h>
#include <linux/module.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>
#include <linux/workqueue.h>
#include "tty/console.h"
#include "box/ctl.h"

static DEFINE_RAW_SPINLOCK(out_lock);	/* writers of the output ring */
static struct tty_driver *driver;
static struct tty_port port;

static void input_work(struct work_struct *work);
static DECLARE_WORK(input, input_work);

static void put(struct sharedpc_console *c, u8 byte)
{
	c->out[c->out_head % SHAREDPC_CONSOLE_OUT] = byte;
	/* The byte is there before the count says so: the reader's acquire. */
	smp_store_release(&c->out_head, c->out_head + 1);
}

static void put_all(const u8 *s, size_t len, bool cook)
{
	struct sharedpc_console *c = ctl_console(ctl_self);
	unsigned long flags;
	size_t i;

	raw_spin_lock_irqsave(&out_lock, flags);
	for (i = 0; i < len; i++) {
		if (cook && s[i] == '\n')
			put(c, '\r');
		put(c, s[i]);
	}
	raw_spin_unlock_irqrestore(&out_lock, flags);
}

static ssize_t console_tty_write(struct tty_struct *tty, const u8 *buf, size_t len)
{
	put_all(buf, len, false);
	return len;
}

static unsigned int console_tty_room(struct tty_struct *tty)
{
	return SHAREDPC_CONSOLE_OUT;
}

static int console_tty_open(struct tty_struct *tty, struct file *file)
{
	return tty_port_open(&port, tty, file);
}

static void console_tty_close(struct tty_struct *tty, struct file *file)
{
	tty_port_close(&port, tty, file);
}

static void console_tty_hangup(struct tty_struct *tty)
{
	tty_port_hangup(&port);
}

static const struct tty_operations tty_ops = {
	.open		= console_tty_open,
	.close		= console_tty_close,
	.write		= console_tty_write,
	.write_room	= console_tty_room,
	.hangup		= console_tty_hangup,
};

static const struct tty_port_operations port_ops = { };

static void input_work(struct work_struct *work)
{
	struct sharedpc_console *c = ctl_console(ctl_self);
	u64 tail = c->in_tail;
	/* Pairs with the release of whoever types. */
	u64 head = smp_load_acquire(&c->in_head);

	if (head - tail > SHAREDPC_CONSOLE_IN)
		tail = head;
	while (tail != head &&
	       tty_insert_flip_char(&port, c->in[tail % SHAREDPC_CONSOLE_IN], TTY_NORMAL))
		tail++;
	/* The bytes are read before the writer may use their place: ccctl console. */
	smp_store_release(&c->in_tail, tail);
	tty_flip_buffer_push(&port);
}

void tty_console_kick(void)
{
	if (driver && READ_ONCE(ctl_console(ctl_self)->in_head) !=
		      READ_ONCE(ctl_console(ctl_self)->in_tail))
		schedule_work(&input);
}

static void console_print(struct console *con, const char *s, unsigned int len)
{
	put_all((const u8 *)s, len, true);
}

static struct tty_driver *console_driver(struct console *con, int *index)
{
	*index = 0;
	return driver;
}

static struct console console = {
	.name	= "ttyCC",
	.write	= console_print,
	.device	= console_driver,
	.flags	= CON_PRINTBUFFER,
	.index	= 0,
};

int tty_console_init(void)
{
	struct tty_driver *d;
	int err;

	if (ctl_is_boot())
		return 0;
	d = tty_alloc_driver(1, TTY_DRIVER_REAL_RAW | TTY_DRIVER_RESET_TERMIOS);
	if (IS_ERR(d))
		return PTR_ERR(d);
	d->driver_name = "sharedpc";
	d->name = "ttyCC";
	d->type = TTY_DRIVER_TYPE_SERIAL;
	d->subtype = SERIAL_TYPE_NORMAL;
	d->init_termios = tty_std_termios;
	d->init_termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	tty_set_operations(d, &tty_ops);
	tty_port_init(&port);
	port.ops = &port_ops;
	tty_port_link_device(&port, d, 0);
	err = tty_register_driver(d);
	if (err)
		goto put_driver;
	driver = d;
	register_console(&console);
	return 0;

put_driver:
	tty_driver_kref_put(d);
	tty_port_destroy(&port);
	return err;
}

void tty_console_exit(void)
{
	struct tty_driver *d = driver;

	if (!d)
		return;
	unregister_console(&console);
	driver = NULL;
	cancel_work_sync(&input);
	tty_unregister_driver(d);
	tty_driver_kref_put(d);
	tty_port_destroy(&port);
}
