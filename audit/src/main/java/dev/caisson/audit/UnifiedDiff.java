package dev.caisson.audit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The difference of two texts in unified format, as `patch(1)` and `git apply` read it.
public final class UnifiedDiff {
    private static final int CONTEXT = 3;
    private static final long TABLE = 1 << 20;
    private static final String NO_LINE_BREAK = "\\ No newline at end of file\n";

    private record Line(char sign, String text) {}

    private UnifiedDiff() {}

    /// The difference, empty where there is none.
    /// @param name the file's path with `/`, relative
    /// @param before empty for a file that does not exist yet
    public static String of(String name, String before, String after) {
        if (before.equals(after)) {
            return "";
        }
        List<String> old = lines(before);
        List<Line> script = script(old, lines(after));
        String ended = name.indexOf(' ') < 0 ? name : name + "\t";
        StringBuilder out = new StringBuilder()
                .append("--- ")
                .append(before.isEmpty() ? "/dev/null" : "a/" + ended)
                .append("\n+++ b/")
                .append(ended)
                .append('\n');
        hunks(script, out);
        return out.toString();
    }

    /// Lines with their line breaks; only the last may lack one.
    private static List<String> lines(String text) {
        List<String> lines = new ArrayList<>();
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start);
            end = end < 0 ? text.length() : end + 1;
            lines.add(text.substring(start, end));
            start = end;
        }
        return lines;
    }

    /// Compares two texts; if they part, they meet again at the nearest run of equal lines.
    private static List<Line> script(List<String> old, List<String> fresh) {
        List<Line> script = new ArrayList<>();
        int at = 0;
        int to = 0;
        while (at < old.size() || to < fresh.size()) {
            if (at < old.size() && to < fresh.size() && old.get(at).equals(fresh.get(to))) {
                script.add(new Line(' ', old.get(at++)));
                to++;
                continue;
            }
            int removed = removedBeforeMeeting(old, at, fresh, to);
            int added = 0;
            while (!meet(old, at + removed, fresh, to + added)) {
                added++;
            }
            between(old.subList(at, at + removed), fresh.subList(to, to + added), script);
            at += removed;
            to += added;
        }
        return script;
    }

    /// Lines of a longest common subsequence stay, unless a table for it would be too large.
    private static void between(List<String> old, List<String> fresh, List<Line> script) {
        boolean small = (long) old.size() * fresh.size() <= TABLE;
        int[][] common = new int[small ? old.size() + 1 : 0][fresh.size() + 1];
        for (int i = small ? old.size() - 1 : -1; i >= 0; i--) {
            for (int j = fresh.size() - 1; j >= 0; j--) {
                common[i][j] = old.get(i).equals(fresh.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        int i = 0;
        int j = 0;
        while (i < old.size() || j < fresh.size()) {
            boolean both = i < old.size() && j < fresh.size();
            if (both && small && old.get(i).equals(fresh.get(j))) {
                script.add(new Line(' ', old.get(i++)));
                j++;
            } else if (j == fresh.size() || (both && (!small || common[i + 1][j] >= common[i][j + 1]))) {
                script.add(new Line('-', old.get(i++)));
            } else {
                script.add(new Line('+', fresh.get(j++)));
            }
        }
    }

    private static int removedBeforeMeeting(List<String> old, int at, List<String> fresh, int to) {
        int all = old.size() - at + fresh.size() - to;
        for (int distance = 1; distance <= all; distance++) {
            int from = Math.max(0, distance - (fresh.size() - to));
            for (int removed = from; removed <= Math.min(distance, old.size() - at); removed++) {
                if (meet(old, at + removed, fresh, to + distance - removed)) {
                    return removed;
                }
            }
        }
        return old.size() - at;
    }

    private static boolean meet(List<String> old, int at, List<String> fresh, int to) {
        for (int line = 0; line < CONTEXT; line++) {
            boolean oldEnds = at + line >= old.size();
            boolean freshEnds = to + line >= fresh.size();
            if (oldEnds || freshEnds) {
                return oldEnds && freshEnds;
            }
            if (!old.get(at + line).equals(fresh.get(to + line))) {
                return false;
            }
        }
        return true;
    }

    private static void hunks(List<Line> script, StringBuilder out) {
        boolean[] shown = new boolean[script.size()];
        for (int at = 0; at < script.size(); at++) {
            if (script.get(at).sign() != ' ') {
                Arrays.fill(shown, Math.max(0, at - CONTEXT), Math.min(shown.length, at + CONTEXT + 1), true);
            }
        }
        int oldLine = 0;
        int newLine = 0;
        int at = 0;
        while (at < shown.length) {
            if (!shown[at]) {
                oldLine++;
                newLine++;
                at++;
                continue;
            }
            int end = at;
            while (end < shown.length && shown[end]) {
                end++;
            }
            List<Line> hunk = script.subList(at, end);
            int removed = countWithout(hunk, '+');
            int added = countWithout(hunk, '-');
            out.append("@@ -")
                    .append(range(oldLine, removed))
                    .append(" +")
                    .append(range(newLine, added))
                    .append(" @@\n");
            for (Line line : hunk) {
                out.append(line.sign()).append(line.text());
                out.append(line.text().endsWith("\n") ? "" : "\n" + NO_LINE_BREAK);
            }
            oldLine += removed;
            newLine += added;
            at = end;
        }
    }

    private static int countWithout(List<Line> lines, char sign) {
        return (int) lines.stream().filter(line -> line.sign() != sign).count();
    }

    /// An empty range is named by the line before it.
    private static String range(int linesBefore, int count) {
        int first = count == 0 ? linesBefore : linesBefore + 1;
        return count == 1 ? Integer.toString(first) : first + "," + count;
    }
}
