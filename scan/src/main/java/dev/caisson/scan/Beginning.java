package dev.caisson.scan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds out of an expression of somebody else's whether each of its matches begins with one of its keywords, so that
/// it needs to be tried nowhere else.
/// @param expression to be tried at a keyword
/// @param assignment what has to follow the keyword, if an operator and a value have to
record Beginning(String expression, Optional<Assignment> assignment) {
    /// Says only what may stand before the word that counts.
    private static final Pattern PREFIX =
            Pattern.compile("^((?:\\(\\?i\\))?)\\[[\\\\\\w.-]{2,8}\\]\\{0,\\d{1,3}\\}\\?");
    private static final Pattern OPENING = Pattern.compile("^(?:\\(\\?i\\)|\\\\b|\\((?:\\?:)?)");
    private static final String LITERAL = "_-/:@#%&,;=~\"' ";

    /// Returns how the expression begins; empty if its matches may begin with something else.
    static Optional<Beginning> of(String expression, List<String> keywords) {
        Matcher prefix = PREFIX.matcher(expression);
        String whole = prefix.find() ? prefix.group(1) + expression.substring(prefix.end()) : expression;
        int at = 0;
        int depth = 0;
        for (Matcher opening = OPENING.matcher(whole); opening.find(); opening = OPENING.matcher(whole.substring(at))) {
            depth += opening.group().equals("(") || opening.group().equals("(?:") ? 1 : 0;
            at += opening.end();
        }
        Optional<List<String>> starts = starts(whole, at, depth);
        return starts.filter(
                        all -> all.stream().allMatch(start -> keywords.stream().anyMatch(start::startsWith)))
                .map(all -> new Beginning(whole, Assignment.of(whole)));
    }

    /// Returns the texts that the alternatives at `from` begin with, in lower case.
    private static Optional<List<String>> starts(String expression, int from, int depth) {
        List<String> starts = new ArrayList<>();
        var text = new StringBuilder();
        boolean literal = true;
        int inner = 0;
        int open = depth;
        for (int at = from; at < expression.length(); at++) {
            char c = expression.charAt(at);
            if (c == '\\' && at + 1 < expression.length()) {
                char escaped = expression.charAt(++at);
                literal = literal && !Character.isLetterOrDigit(escaped);
                text.append(literal ? String.valueOf(escaped) : "");
            } else if (c == '[') {
                literal = false;
                at = classEnd(expression, at);
            } else if (c == '(') {
                literal = false;
                inner++;
            } else if (c == ')' && inner > 0) {
                inner--;
            } else if (c == '|' && inner == 0) {
                if (open < depth || depth == 0) {
                    return Optional.empty(); // an alternative of more than the group at the beginning
                }
                starts.add(text.toString().toLowerCase(Locale.ROOT));
                text.setLength(0);
                literal = true;
            } else if (c == ')') {
                if (open == depth) {
                    starts.add(text.toString().toLowerCase(Locale.ROOT));
                    text.setLength(0);
                }
                open--;
                literal = false;
                if (at + 1 < expression.length() && "?*{".indexOf(expression.charAt(at + 1)) >= 0) {
                    return Optional.empty();
                }
            } else if ("?*{".indexOf(c) >= 0 && literal) {
                text.setLength(Math.max(0, text.length() - 1));
                literal = false;
            } else {
                literal = literal && (Character.isLetterOrDigit(c) || LITERAL.indexOf(c) >= 0);
                text.append(literal ? String.valueOf(c) : "");
            }
        }
        if (open == depth) {
            starts.add(text.toString().toLowerCase(Locale.ROOT));
        }
        return Optional.of(starts);
    }

    private static int classEnd(String expression, int open) {
        int at = open + 1;
        while (at < expression.length() && (expression.charAt(at) != ']' || at == open + 1)) {
            at += expression.charAt(at) == '\\' ? 2 : 1;
        }
        return at;
    }
}
