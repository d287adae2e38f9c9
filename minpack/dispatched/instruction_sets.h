/* The instruction sets for which qrfac and qrsolv are compiled, and the one in use. All give the same bits. */
#ifndef INSTRUCTION_SETS_H
#define INSTRUCTION_SETS_H

/* The index-th name that this machine can run, the best first and "baseline" last; NULL after that. */
const char *minpack_instruction_set(int index);

/* The one in use, at first "baseline". */
const char *minpack_instruction_set_in_use(void);

/* Use one by its name; NULL: the best. 0, or -1 if this machine cannot run it, or nobody knows it: then nothing has
 * changed. Also while other threads solve. */
int minpack_use_instruction_set(const char *name);

#endif
