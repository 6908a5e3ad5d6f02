package dev.caisson.scan;

import java.util.regex.Pattern;

/// Translates expressions from the syntax of Go's package regexp, which files of rules are written in, to Java's.
final class GoExpression {
    private static final Pattern REPEAT = Pattern.compile("\\{\\d{1,4}(?:,\\d{0,4})?\\}");
    private static final Pattern GROUP_NAME = Pattern.compile("\\(\\?P?<([A-Za-z_][A-Za-z0-9_]*)>");
    private static final Pattern POSIX = Pattern.compile("\\[:(\\^?)([a-z]+):\\]");

    private GoExpression() {}

    static String toJava(String expression) {
        // names of groups are not asked for, and Java's have no underscore
        String go = GROUP_NAME.matcher(expression).replaceAll("(");
        var java = new StringBuilder();
        int brackets = -1;
        for (int at = 0; at < go.length(); at++) {
            char c = go.charAt(at);
            if (c == '\\' && at + 1 < go.length()) {
                int end = escapeEnd(go, at);
                java.append(go, at, end + 1);
                at = end;
            } else if (brackets >= 0) {
                at = inClass(go, at, java, at == brackets + 1 || (at == brackets + 2 && go.charAt(at - 1) == '^'));
                brackets = java.charAt(java.length() - 1) == CLOSED ? -1 : brackets;
                if (brackets < 0) {
                    java.setCharAt(java.length() - 1, ']');
                }
            } else if (c == '[') {
                brackets = at;
                java.append(c);
            } else if (c == '{' && !REPEAT.matcher(go).region(at, go.length()).lookingAt()) {
                java.append("\\{");
            } else if (c == '}' && !closesRepeat(go, at)) {
                java.append("\\}");
            } else {
                java.append(c);
            }
        }
        return java.toString();
    }

    /// Returns the last offset of an escape, which may name a class or a code in braces.
    private static int escapeEnd(String go, int at) {
        boolean braces = "pPx".indexOf(go.charAt(at + 1)) >= 0 && at + 2 < go.length() && go.charAt(at + 2) == '{';
        int close = braces ? go.indexOf('}', at) : -1;
        return close < 0 ? at + 1 : close;
    }

    /// Stands in the result for the bracket that ends a class, until its reader has seen it.
    private static final char CLOSED = '\uffff';

    /// Translates one character of a class.
    /// @param first if it is the first one, where a closing bracket is meant itself
    /// @return its last offset
    private static int inClass(String go, int at, StringBuilder java, boolean first) {
        char c = go.charAt(at);
        var posix = POSIX.matcher(go).region(at, go.length());
        if (c == '[' && posix.lookingAt()) {
            java.append(posix.group(1).isEmpty() ? "\\p{" : "\\P{")
                    .append(posixName(posix.group(2)))
                    .append('}');
            return posix.end() - 1;
        }
        if (c == ']' && !first) {
            java.append(CLOSED);
        } else if (c == '[' || c == ']' || c == '&') {
            java.append('\\').append(c);
        } else {
            java.append(c);
        }
        return at;
    }

    private static String posixName(String name) {
        return switch (name) {
            case "xdigit" -> "XDigit";
            case "word" -> "IsWord";
            default -> Character.toUpperCase(name.charAt(0)) + name.substring(1);
        };
    }

    private static boolean closesRepeat(String go, int at) {
        int open = go.lastIndexOf('{', at);
        return open >= 0 && REPEAT.matcher(go).region(open, at + 1).matches();
    }
}
