/* The instruction sets for which qrfac and qrsolv are compiled, and the one in use. All give the same bits. */
#ifndef INSTRUCTION_SETS_H
#define INSTRUCTION_SETS_H

/* Name of the index-th instruction set that this machine runs, best first, "baseline" last; NULL past the end. */
const char *minpack_instruction_set(int index);

/* Name of the one in use, initially "baseline". */
const char *minpack_instruction_set_in_use(void);

/* Use the one of this name; NULL: the best. Returns 0, or -1 and changes nothing if it is unknown or this machine does not
 * run it. Safe while other threads solve. */
int minpack_use_instruction_set(const char *name);

#endif
