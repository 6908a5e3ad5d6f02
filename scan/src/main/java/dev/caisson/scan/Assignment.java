package dev.caisson.scan;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The text that many expressions of gitleaks' files ask for after their keyword: the rest of a name, an
/// operator, and a value of at least so many characters of a class. Most places that have the keyword have
/// none of it, and are told from the others by a few bytes.
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record Assignment(boolean[] value, int least) {
    /// The part of an expression between a name and its value, as two versions of the tool write it.
    private static final List<String> WRITTEN = List.of(
            "(?:[0-9a-z\\-_\\t .]{0,20})(?:[\\s|']|[\\s|\"]){0,3}(?:=|>|:=|\\|\\|:|<=|=>|:)(?:'|\\\"|\\s|=|\\x60){0,5}",
            "(?:[ \\t\\w.-]{0,20})[\\s'\"]{0,3}(?:=|>|:{1,3}=|\\|\\||:|=>|\\?=|,)[\\x60'\"\\s=]{0,5}");
    private static final Pattern CLASS = Pattern.compile("\\((\\[[^\\[\\]]+\\])\\{(\\d{1,3})(?:,\\d{0,4})?\\}");
    private static final int LONGEST_REST = 24;
    private static final String OPERATORS = "=:><,?";
    /// The operator and what may stand before the value.
    private static final int LONGEST_OPERATOR = 9;

    /// Returns the assignment that an expression asks for; empty if it asks for something else.
    static Optional<Assignment> of(String expression) {
        for (String written : WRITTEN) {
            int at = expression.indexOf(written);
            Matcher digits = CLASS.matcher(expression);
            if (at >= 0
                    && digits.region(at + written.length(), expression.length()).lookingAt()) {
                Pattern one = Pattern.compile(digits.group(1), Pattern.CASE_INSENSITIVE);
                var value = new boolean[256];
                for (int c = 0; c < value.length; c++) {
                    value[c] = one.matcher(String.valueOf((char) c)).matches();
                }
                return Optional.of(new Assignment(value, Integer.parseInt(digits.group(2))));
            }
        }
        return Optional.empty();
    }

    /// False if no assignment can stand behind the keyword that ends at `end`.
    boolean mayFollow(byte[] bytes, int length, int end) {
        int most = Math.min(length, end + LONGEST_REST);
        for (int at = end; at < most; at++) {
            byte b = bytes[at];
            if (b == '|') {
                return true;
            }
            if (OPERATORS.indexOf(b) >= 0) {
                return mayHold(bytes, length, at);
            }
            boolean name = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');
            if (!name && b > ' ' && "_-.\"'".indexOf(b) < 0) {
                return false;
            }
        }
        return false;
    }

    /// A value that begins a few bytes behind the operator covers those that follow these.
    private boolean mayHold(byte[] bytes, int length, int operator) {
        if (operator + least >= length) {
            return false;
        }
        for (int at = operator + LONGEST_OPERATOR; at <= operator + least; at++) {
            if (!value[bytes[at] & 0xff]) {
                return false;
            }
        }
        return true;
    }
}
