/* Threads over the byte ranges of one file. Ranges are parsed in any order and folded in theirs, so the answer does
 * not depend on the number of threads or on where the ranges are cut. */
#include <errno.h>
#include <pthread.h>

#include "fleet.h"

i64 recon_chunk_read(Chunk *c, int fd, i64 offset, i64 size, i64 limit);
i64 recon_chunk_parse(Chunk *c, const Parser *parser);

enum { MOST_THREADS = 16 };

typedef struct {
    Fleet *fleet;
    const Parser *parser;
    int fd;
    i64 start, end, size, ranges;
    pthread_mutex_t lock;
    pthread_cond_t turned;
    i64 next, turn, error;
    volatile i64 *done; /* bytes, for a progress bar */
    volatile int *stop;
} Scan;

static void *run(void *argument) {
    Scan *s = argument;
    Chunk chunk = {0};
    for (;;) {
        pthread_mutex_lock(&s->lock);
        i64 mine = s->error || *s->stop ? s->ranges : s->next++;
        pthread_mutex_unlock(&s->lock);
        if (mine >= s->ranges) break;
        i64 offset = s->start + mine * s->size;
        i64 size = s->end - offset < s->size ? s->end - offset : s->size;
        i64 n = recon_chunk_read(&chunk, s->fd, offset, size, s->end);
        if (n >= 0) recon_chunk_parse(&chunk, s->parser);
        pthread_mutex_lock(&s->lock);
        if (n < 0 && !s->error) s->error = n;
        while (s->turn != mine && !s->error && !*s->stop) pthread_cond_wait(&s->turned, &s->lock);
        int mayfold = s->turn == mine && !s->error;
        pthread_mutex_unlock(&s->lock);
        if (mayfold) fleet_chunk(s->fleet, s->parser, &chunk);
        pthread_mutex_lock(&s->lock);
        if (mayfold) s->turn = mine + 1, *s->done += size;
        pthread_cond_broadcast(&s->turned);
        pthread_mutex_unlock(&s->lock);
    }
    chunk_free(&chunk);
    return NULL;
}

/* Fold the lines that start in [start, end); returns 0, or -errno of the first thread that failed. */
EXPORT i64 recon_scan(Fleet *f, const Parser *p, int fd, i64 start, i64 end, i64 size, i64 threads, i64 *done, int *stop) {
    Scan s = {.fleet = f, .parser = p, .fd = fd, .start = start, .end = end, .size = size, .done = done, .stop = stop};
    pthread_t thread[MOST_THREADS];
    i64 started = 0;
    s.ranges = end > start ? (end - start + size - 1) / size : 0;
    if (threads > s.ranges) threads = s.ranges;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.turned, NULL);
    for (; started + 1 < threads; started++)
        if (pthread_create(&thread[started], NULL, run, &s) != 0) break; /* fewer threads, the same answer */
    run(&s);
    for (i64 i = 0; i < started; i++) pthread_join(thread[i], NULL);
    pthread_cond_destroy(&s.turned);
    pthread_mutex_destroy(&s.lock);
    return *stop ? -EINTR : s.error;
}
