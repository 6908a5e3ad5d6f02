package dev.caisson.cli.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Prints rows as a `--format` wants them: a template for each row, `table` with a template, or `json`.
public final class Table {
    private static final String WORD = "table";
    private static final int NARROWEST = 10;
    private static final int GAP = 3;

    private final boolean aligned;
    private final Template template;
    private final Map<String, String> headers;

    private Table(boolean aligned, Template template, Map<String, String> headers) {
        this.aligned = aligned;
        this.template = template;
        this.headers = headers;
    }

    /// Reads a format.
    /// @param format of the user; `table` alone is `usual`
    /// @param usual the template of the table that is printed without a format
    /// @param headers what a field is called in the head of a table
    public static Table of(String format, String usual, Map<String, String> headers) {
        if (format.equals("json")) {
            return new Table(false, Template.parse("{{json .}}"), headers);
        }
        boolean aligned = format.equals(WORD) || format.startsWith(WORD + " ");
        String text = aligned ? format.substring(WORD.length()).strip() : format;
        text = text.isEmpty() && aligned ? usual : text;
        return new Table(aligned, Template.parse(text.replace("\\t", "\t").replace("\\n", "\n")), headers);
    }

    /// Returns the lines of all rows, with a head where it is a table.
    public List<String> lines(List<? extends Map<String, ?>> rows) {
        var lines = new ArrayList<String>();
        if (aligned) {
            lines.add(template.header(name -> headers.getOrDefault(name, name)));
        }
        rows.forEach(row -> lines.add(template.render(row)));
        return aligned ? aligned(lines) : lines;
    }

    /// Columns end at a tab; each is as wide as its widest cell, its gap included.
    private static List<String> aligned(List<String> lines) {
        List<String[]> cells = lines.stream().map(line -> line.split("\t", -1)).toList();
        var widths = new ArrayList<Integer>();
        for (String[] row : cells) {
            for (int i = 0; i + 1 < row.length; i++) {
                int width = Math.max(NARROWEST, row[i].codePointCount(0, row[i].length()) + GAP);
                if (i == widths.size()) {
                    widths.add(width);
                } else {
                    widths.set(i, Math.max(widths.get(i), width));
                }
            }
        }
        return cells.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(String[] row, List<Integer> widths) {
        var line = new StringBuilder();
        for (int i = 0; i < row.length; i++) {
            line.append(row[i]);
            if (i + 1 < row.length) {
                line.append(" ".repeat(widths.get(i) - row[i].codePointCount(0, row[i].length())));
            }
        }
        return line.toString();
    }
}
