package dev.caisson.containerfile.dockerfile;

import java.util.ArrayList;
import java.util.List;

/// Splits the arguments of an instruction at white space that is neither quoted nor escaped. It takes quotes off and
/// leaves variables as they are; `Substitution` expands them.
public final class WordSplitter {
    private final LogicalText text;
    private final char escape;
    private int at;
    private int start;
    private String value = "";

    /// @param escape the file's escape character
    public WordSplitter(LogicalText text, char escape) {
        this.text = text;
        this.escape = escape;
    }

    /// All words of a text.
    public static List<Word> split(LogicalText text, char escape) {
        List<Word> words = new ArrayList<>();
        WordSplitter splitter = new WordSplitter(text, escape);
        while (splitter.next()) {
            words.add(splitter.word());
        }
        return words;
    }

    /// Moves to the next word; false where there is none.
    public boolean next() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        start = at;
        StringBuilder word = new StringBuilder();
        char quote = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (quote == 0 && Character.isWhitespace(c)) {
                break;
            }
            if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            } else if (c == quote) {
                quote = 0;
            } else if (c == escape && quote != '\'' && at + 1 < text.length()) {
                char escaped = text.charAt(at + 1);
                if (quote == '"' && escaped != '"' && escaped != '$' && escaped != escape) {
                    word.append(c);
                }
                word.append(escaped);
                at++;
            } else {
                word.append(c);
            }
            at++;
        }
        value = word.toString();
        return at > start;
    }

    /// The current word.
    public Word word() {
        return new Word(value, text.text().substring(start, at), text.place(start, at));
    }

    /// The index after the current word.
    public int end() {
        return at;
    }
}
