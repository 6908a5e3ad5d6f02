package dev.caisson.image;

/// Text from an image or a user, made fit for a one-line message: control characters escaped, length bounded.
final class Quoted {
    private static final int LONGEST = 200;

    private Quoted() {}

    static String of(String text) {
        var out = new StringBuilder("\"");
        text.codePoints().limit(LONGEST).forEach(c -> {
            if (c == '"' || c == '\\') {
                out.append('\\').appendCodePoint(c);
            } else if (Character.isISOControl(c)
                    || Character.getType(c) == Character.FORMAT
                    || Character.getType(c) == Character.LINE_SEPARATOR
                    || Character.getType(c) == Character.PARAGRAPH_SEPARATOR
                    || Character.getType(c) == Character.SURROGATE) {
                out.append(String.format("\\u%04x", c));
            } else {
                out.appendCodePoint(c);
            }
        });
        if (text.codePointCount(0, text.length()) > LONGEST) {
            out.append('…');
        }
        return out.append('"').toString();
    }
}
