package dev.caisson.audit;

/// Lines of a bounded width: what does not fit goes on below, indented. A word that is wider than a line is cut.
final class TextLines {
    static final int WIDTH = 120;
    private static final int HANGING = 4;

    private final StringBuilder out = new StringBuilder();

    /// @param indent columns before the first line; those that follow have a few more
    void add(int indent, String text) {
        String margin = " ".repeat(indent);
        StringBuilder line = new StringBuilder(margin);
        boolean empty = true;
        for (String word : TextReport.printable(text).split(" ", -1)) {
            String rest = word;
            if (!empty && line.length() + 1 + rest.length() > WIDTH) {
                out.append(line).append('\n');
                line = new StringBuilder(" ".repeat(indent + HANGING));
                empty = true;
            }
            while (line.length() + (empty ? 0 : 1) + rest.length() > WIDTH) {
                int room = cut(rest, WIDTH - line.length());
                out.append(line).append(rest, 0, room).append('\n');
                rest = rest.substring(room);
                line = new StringBuilder(" ".repeat(indent + HANGING));
            }
            line.append(empty ? "" : " ").append(rest);
            empty = false;
        }
        out.append(line.toString().stripTrailing()).append('\n');
    }

    /// Not between the halves of a character.
    private static int cut(String text, int room) {
        return Character.isHighSurrogate(text.charAt(room - 1)) ? room - 1 : room;
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
