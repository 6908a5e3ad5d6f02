package dev.caisson.hostaudit.facts;

/// Numbers in texts of kernel and engine.
public final class Numbers {
    private Numbers() {}

    /// True for digits that fit a long.
    public static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() < 18 && text.chars().allMatch(Character::isDigit);
    }

    /// Counts a list of ranges: `0-3,7` is five.
    public static int inRanges(String list) {
        int count = 0;
        for (String range : list.split(",", -1)) {
            String[] ends = range.split("-", 2);
            count += ends.length == 1 ? 1 : Integer.parseInt(ends[1]) - Integer.parseInt(ends[0]) + 1;
        }
        return count;
    }

    /// `26.1.5+dfsg1` as 26001005.
    public static long ofVersion(String version) {
        long number = 0;
        String[] parts = version.replaceFirst("^v", "").split("[^0-9]+", -1);
        for (int at = 0; at < 3; at++) {
            long part = at < parts.length && isNumber(parts[at]) ? Long.parseLong(parts[at]) : 0;
            number = number * 1000 + part;
        }
        return number;
    }
}
