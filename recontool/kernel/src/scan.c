/* Threads over the byte ranges of one file. Ranges are parsed in any order and folded in theirs, so the answer does
 * not depend on the number of threads or on where the ranges are cut. No thread waits for its turn as long as there
 * is a range left to parse and room to keep it: one that the system has put aside holds up no other. */
#include <errno.h>
#include <pthread.h>

#include "fleet.h"

Chunk *recon_chunk_new(void);
void recon_chunk_free(Chunk *c);
i64 recon_chunk_read(Chunk *c, int fd, i64 offset, i64 size, i64 limit);
i64 recon_chunk_parse(Chunk *c, const Parser *parser);

enum { MOST_THREADS = 16, MOST_HELD = 2 * MOST_THREADS + 2 };

/* Chunks of scans that have ended: what they have learnt of lines is of use for the next file, and so is their room. */
static struct {
    pthread_mutex_t lock;
    Chunk *chunk[MOST_HELD];
    int n;
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER};

static Chunk *take_chunk(void) {
    Chunk *chunk = NULL;
    pthread_mutex_lock(&spare.lock);
    if (spare.n) chunk = spare.chunk[--spare.n];
    pthread_mutex_unlock(&spare.lock);
    return chunk != NULL ? chunk : recon_chunk_new();
}

static void put_chunk(Chunk *chunk) {
    if (chunk == NULL) return;
    pthread_mutex_lock(&spare.lock);
    if (spare.n < MOST_HELD) spare.chunk[spare.n++] = chunk, chunk = NULL;
    pthread_mutex_unlock(&spare.lock);
    recon_chunk_free(chunk);
}

typedef struct {
    Chunk *chunk;
    int parsed;
} Held;

typedef struct {
    Fleet *fleet;
    const Parser *parser;
    int fd;
    i64 start, end, size, ranges;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    i64 next, turn, error; /* the range to parse, and to fold next */
    int folding;
    Held held[MOST_HELD]; /* range i stands in i % room */
    Chunk *idle[MOST_HELD]; /* the last to be let go is taken first: it is still in a core's cache */
    i64 idle_n;
    i64 room;
    volatile i64 *done; /* bytes, for a progress bar */
    volatile int *stop;
} Scan;

static i64 offset_of(const Scan *s, i64 range) {
    i64 offset = s->start + range * s->size;
    return offset < s->end ? offset : s->end;
}

/* Both are called with the lock held, and let go of it meanwhile. */
static void parse(Scan *s) {
    i64 mine = s->next++, offset = offset_of(s, mine);
    Held *held = &s->held[mine % s->room];
    Chunk *chunk = held->chunk = s->idle_n ? s->idle[--s->idle_n] : take_chunk();
    pthread_mutex_unlock(&s->lock);
    i64 n = recon_chunk_read(chunk, s->fd, offset, offset_of(s, mine + 1) - offset, s->end);
    if (n >= 0) recon_chunk_parse(chunk, s->parser);
    pthread_mutex_lock(&s->lock);
    if (n < 0 && !s->error) s->error = n;
    held->parsed = 1;
}

static void fold(Scan *s) {
    Held *held = &s->held[s->turn % s->room];
    s->folding = 1;
    pthread_mutex_unlock(&s->lock);
    fleet_chunk(s->fleet, s->parser, held->chunk);
    pthread_mutex_lock(&s->lock);
    s->folding = held->parsed = 0;
    s->idle[s->idle_n++] = held->chunk, held->chunk = NULL;
    *s->done = offset_of(s, ++s->turn) - s->start;
}

static void *run(void *argument) {
    Scan *s = argument;
    pthread_mutex_lock(&s->lock);
    while (s->turn < s->ranges && !s->error && !*s->stop) {
        if (!s->folding && s->held[s->turn % s->room].parsed) fold(s);
        else if (s->next < s->ranges && s->next < s->turn + s->room) parse(s);
        else {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Fold the lines that start in [start, end); returns 0, or -errno of the first thread that failed. */
EXPORT i64 recon_scan(Fleet *f, const Parser *p, int fd, i64 start, i64 end, i64 size, i64 threads, i64 *done, int *stop) {
    Scan *s = need(calloc(1, sizeof *s));
    s->fleet = f, s->parser = p, s->fd = fd, s->start = start, s->end = end, s->size = size, s->done = done, s->stop = stop;
    pthread_t thread[MOST_THREADS];
    i64 started = 0;
    s->ranges = end > start ? (end - start + size - 1) / size : 0;
    if (threads > s->ranges) threads = s->ranges;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    s->room = threads > 1 ? 2 * threads + 2 : 1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    for (; started + 1 < threads; started++)
        if (pthread_create(&thread[started], NULL, run, s) != 0) break; /* fewer threads, the same answer */
    run(s);
    for (i64 i = 0; i < started; i++) pthread_join(thread[i], NULL);
    while (s->idle_n) put_chunk(s->idle[--s->idle_n]);
    for (i64 i = 0; i < s->room; i++) put_chunk(s->held[i].chunk); /* where it was not folded */
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    i64 outcome = *stop ? -EINTR : s->error;
    free(s);
    return outcome;
}
