package dev.caisson.engine;

import dev.caisson.text.Quoted;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Splits an instruction that changes an image's configuration into words, and replaces `$NAME` and `${NAME}` by what
/// the image has there; a variable that it does not have is empty. Quotes and `\` are a Dockerfile's.
record ChangeWords(String instruction, Map<String, String> variables) {
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    /// Splits at white space that is neither quoted nor escaped, and takes the quotes off.
    List<String> split(String text) {
        var words = new ArrayList<String>();
        var word = new StringBuilder();
        boolean begun = false;
        char quote = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (quote == 0 && Character.isWhitespace(c)) {
                if (begun) {
                    words.add(word.toString());
                    word.setLength(0);
                    begun = false;
                }
                continue;
            }
            begun = true;
            if (quote == 0 && (c == '"' || c == '\'')) {
                quote = c;
            } else if (c == quote) {
                quote = 0;
            } else if (c == '\\' && quote != '\'' && i + 1 < text.length()) {
                word.append(text.charAt(++i));
            } else if (c == '$' && quote != '\'') {
                i = variable(text, i, word);
            } else {
                word.append(c);
            }
        }
        if (begun) {
            words.add(word.toString());
        }
        return words;
    }

    /// Replaces the variables of one word, which has no quotes.
    String expand(String text) {
        var expanded = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\' && i + 1 < text.length() && text.charAt(i + 1) == '$') {
                expanded.append(text.charAt(++i));
            } else if (c == '$') {
                i = variable(text, i, expanded);
            } else {
                expanded.append(c);
            }
        }
        return expanded.toString();
    }

    /// Appends the value of the variable that begins at a `$`, or the `$` if none begins there.
    /// @return the index of its last character
    private int variable(String text, int dollar, StringBuilder to) {
        boolean braced = dollar + 1 < text.length() && text.charAt(dollar + 1) == '{';
        int begin = braced ? dollar + 2 : dollar + 1;
        var name = VARIABLE.matcher(text).region(begin, text.length());
        boolean isThere = name.lookingAt();
        if (braced && (!isThere || name.end() == text.length() || text.charAt(name.end()) != '}')) {
            throw new EngineException(
                    "CHANGE_REFUSED",
                    "the change " + Quoted.of(instruction)
                            + " has ${ without a name and } behind it: write ${NAME}, or \\$");
        }
        if (!isThere) {
            to.append('$');
            return dollar;
        }
        to.append(variables.getOrDefault(name.group(), ""));
        return braced ? name.end() : name.end() - 1;
    }
}
