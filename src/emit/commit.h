/* Commits and patches: the parts of `ungil commit`. Private to emit/.
 *
 *   commit.c   the order of work         objects.c  blobs, trees, commits
 *   safe.c     what is refused, and why  publish.c  files, branch and index
 *   groups.c   which fixes make a commit patches.c  commits as mail for git am
 *   message.c  what a commit says        owners.c   CODEOWNERS */
#ifndef UNGIL_EMIT_COMMIT_H
#define UNGIL_EMIT_COMMIT_H

#include "emit/emit.h"
#include "emit/owners.h"

#include <git2.h>

/* What becomes one commit. */
typedef struct Group {
    IdVec decisions;
    Str name;   /* the rule or file that it is grouped by; empty otherwise */
    Str owners; /* of all files that it changes, separated by blanks; empty unless --owners */
} Group;

/* One file of the work tree that the commits change. */
typedef struct Touched {
    const Source *source;    /* NULL: .git-blame-ignore-revs */
    Str path;                /* from the top of the repository */
    const char *abs;         /* where it is written */
    Str before, after;       /* whole texts as in the work tree; before.p is NULL when there was no such file */
    git_filemode_t filemode; /* in HEAD, or what it will be */
} Touched;

typedef struct MadeCommit {
    git_oid id;
    Str subject;
} MadeCommit;

typedef struct Commit {
    Arena *a;
    const Results *r;   /* the round at hand: its program, fixes and changes */
    const Results *all; /* all rounds: the changes from first to last */
    git_repository *repo;
    git_index *index; /* of the work tree; read when the checks begin, written at the end */
    git_tree *base;   /* HEAD's */
    git_signature *author, *committer;
    bool bare;  /* no work tree: everything comes from HEAD */
    Str prefix; /* of our paths inside the repository; empty in a bare one */
    DecisionVec decisions;
    Vec(Group) groups;
    Vec(Touched) touched; /* in the order of Results.changes, then the list of commits */
    IdVec *file_fixes;    /* by file: the fixes of this round's commits made so far that touch it */
    git_oid head;         /* before */
    Vec(MadeCommit) made; /* oldest first */
    git_oid tree;         /* of the last one */
    Err *e;
} Commit;

/* Fails with what libgit2 says. */
bool commit_fail(Commit *c, const char *what);

/* The file of the work tree as it is to be replaced. */
Replacement touched_file(const Touched *t);

/* Everything that stands in the way: the state of the repository, the author, each file. Fills head, base, index,
 * author, committer and touched. */
bool commit_safe(Commit *c);
/* Fills author and committer from git's configuration and environment. */
bool commit_author(Commit *c);
/* The same, as far as it concerns the repository alone. */
bool repository_safe(Commit *c);
/* Sentences on standard error about what the user should know: signing, sparse checkouts. */
void commit_remarks(const Commit *c);

/* Are all fixes of all rounds one commit? */
bool groups_one(const Options *o);
/* Fills decisions and groups with those of the round. */
bool groups_make(Commit *c);

/* The bytes as git stores them under this path: line ends and other filters applied. Free with git_buf_dispose. */
bool stored_text(Commit *c, Str path, Str text, git_buf *out);
/* Makes the commit of a group on top of the last one; each holds all edits of the groups up to it. */
bool group_commit(Commit *c, u32 group);
/* Makes the commit that adds the others to .git-blame-ignore-revs. */
bool revisions_commit(Commit *c);

/* The message of a group's commit. */
Str commit_message(const Commit *c, const Group *g);

/* Is git's index free to be written? */
bool index_unlocked(Commit *c);
/* Writes the files, moves the branch, updates the index entries of these files; or only makes --branch. */
bool commits_publish(Commit *c);
/* Writes the commits as NNNN-subject.patch into the directory of --patches. Adds their names to out. */
bool patches_write(Commit *c, Buf *out);

#endif
