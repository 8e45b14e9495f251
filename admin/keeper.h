/*
 * keeper.h - `posthof keeper`: checkpoints, sweeping, and the admin socket.
 * A child of the supervisor.
 */
#ifndef ADMIN_KEEPER_H
#define ADMIN_KEEPER_H

/* Serves until the supervisor says stop; the exit status. */
int keeper_main(void);

#endif
