/* Keywords of Python, and what the words in the names of functions say. */
#include "pipeline.h"

static const char *const keywords[] = {
#define KEYWORD(word) word,
#include "know/words.def"
};

static const struct Stem {
    const char *stem;
    u32 says;
} stems[] = {
#define STEM(stem, says) {stem, says},
#include "know/words.def"
};

static const struct Ending {
    const char *word;
    u32 ends;
} endings[] = {
#define ENDING(word, ends) {word, ends},
#include "know/words.def"
};

bool python_keyword(Str word)
{
    return str_among(word, keywords, COUNT_OF(keywords));
}

static bool word_says(Str word, u32 what)
{
    for (u32 i = 0; i < COUNT_OF(stems); i++)
        if (stems[i].says & what && str_starts(word, str_from(stems[i].stem))) return true;
    return false;
}

bool name_says(Str name, u32 what)
{
    char low[64];
    for (size_t i = 0; i < name.n; i++) {
        bool upper = name.p[i] >= 'A' && name.p[i] <= 'Z';
        bool first = name.p[i] != '_' && (!i || name.p[i - 1] == '_' || (upper && name.p[i - 1] >= 'a'));
        if (!first) continue;
        size_t k = 0;
        for (; k < sizeof low && i + k < name.n; k++) {
            char c = name.p[i + k];
            low[k] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
        if (word_says((Str){low, k}, what)) return true;
    }
    return false;
}

bool name_ends(Str name, u32 what)
{
    for (u32 i = 0; i < COUNT_OF(endings); i++)
        if (endings[i].ends & what && str_has_word(name, endings[i].word)) return true;
    return false;
}
