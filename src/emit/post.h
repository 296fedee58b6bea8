/* Posting of a review. One driver (post.c) for all services:
 *
 *   remark.c    from the document of review --format json to Remarks: what is to be said, and where it may stand
 *   comment.c   the texts of comments and of the summary
 *   on_github.c on_gitlab.c on_gitea.c   the services
 *
 * Private to emit/. */
#ifndef UNGIL_EMIT_POST_H
#define UNGIL_EMIT_POST_H

#include "emit/http.h"
#include "emit/review.h"

/* A stretch of lines of the new file that the diff shows. */
typedef struct Anchor {
    bool set;
    Str path, old_path;
    u32 first, last; /* in the new file */
    u32 old_first;   /* the first one in the old file; 0 for an added line */
} Anchor;

/* One new finding, as it will be shown. */
typedef struct Remark {
    Str rule, name, fingerprint, severity, confidence, path, message, state;
    u32 line;
    StrVec roots, why;
    Str cause; /* "finding", "site", "thread"; empty */
    Anchor anchor;
    bool suggested; /* the whole fix is one range, that of the anchor */
    Str suggestion;
    Str patch, transform, safety, reason;
    u32 fixed_with; /* the remark that shows the fix; NONE */
    u32 thread;     /* what stands there already; NONE */
    bool refused;   /* the service does not take it at its place */
    bool posted;
} Remark;

/* A comment of ours that is there already. */
typedef struct Thread {
    Str id;      /* of the conversation, to resolve it */
    Str comment; /* of its first comment, to edit it */
    Str fingerprint, body;
    bool resolved;
    bool gone; /* we said that its finding is gone */
    bool kept; /* some remark is about it */
    Str path;  /* where it stands now; first 0 when its lines are no longer there */
    u32 first, last;
} Thread;

typedef enum Suggest { SUGGEST_NONE, SUGGEST_LINES, SUGGEST_OFFSET } Suggest;

typedef struct Poster {
    Arena *a;
    const Options *o;
    const struct Forge *service;
    Http http;
    Str url;     /* of the API, up to the repository */
    Str summary; /* "adds 1 racy site, …" */
    Str head, base;
    bool trusted; /* the document is our own, not an artifact */
    bool serious; /* some finding is more than advice */
    Vec(Remark) remarks;
    StrVec unseen; /* files of which nobody knows whether their findings are gone */
    Vec(Thread) threads;
    Thread note;                       /* the sticky summary; no id when there is none */
    Str pull_head;                     /* what the service says is the head of the pull request */
    Str who;                           /* our own login */
    Str base_sha, start_sha, head_sha; /* GitLab: of the newest version */
    u32 posted, edited, resolved, reopened, kept;
    Err *e;
} Poster;

/* What a hosting service can do. Functions return false with e set when there is no use in going on. */
typedef struct Forge {
    const char *name;
    Suggest suggest;
    size_t body_max;
    const char *auth_name, *auth_prefix, *accept, *version;
    const char *tokens[5];
    /* Finds out the head of the pull request, who we are, and what of ours is there: threads, note. */
    bool (*look)(Poster *p);
    /* Posts the remarks with these indices, as one review with this text where the service knows reviews. Sets
     * posted or refused of each. */
    Answer (*post)(Poster *p, const u32 *v, u32 n, Str text);
    bool (*edit)(Poster *p, const Thread *t, Str body);
    /* Resolves or reopens a conversation; ANSWER_REFUSED when the service or the token cannot. */
    Answer (*resolve)(Poster *p, const Thread *t, bool on);
    /* Writes the summary: edits p->note when it has an id, else makes it. */
    Answer (*note)(Poster *p, Str body);
} Forge;
extern const Forge service_github, service_gitlab, service_gitea;

int post_review(const Results *r, const Review *v, Err *e);

/* remark.c: takes the document apart. It may have come from anywhere: every field is checked. */
bool remarks_read(Poster *p, const json_t *doc);
/* A member of what a service answers, as text: strings and numbers; empty for all else. Owned by the poster. */
Str poster_text(const Poster *p, const json_t *o, const char *key);

/* comment.c  */
/* Fills the fingerprint and gone from a comment's last lines; false when it is none of ours. */
bool marker_read(Str body, Thread *t);
bool note_marked(Str body);
/* The text of a comment. With `there`, it stands where that thread is. */
Str remark_body(Poster *p, const Remark *m, const Thread *there);
/* The same comment once its finding is gone. */
Str gone_body(Poster *p, const Thread *t);
/* The text of the review as a whole, and of the sticky summary; `listed` are remarks that have no comment. */
Str review_body(Poster *p);
Str note_body(Poster *p, const u32 *listed, u32 n);

#endif
