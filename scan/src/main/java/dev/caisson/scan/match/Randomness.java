package dev.caisson.scan.match;

/// Tells text that a generator made from text that a person wrote.
public final class Randomness {
    private static final int CODES = 256;

    private Randomness() {}

    /// Shannon entropy of the characters, in bits for each.
    public static double entropy(CharSequence text) {
        if (text.isEmpty()) {
            return 0;
        }
        int[] counts = new int[CODES];
        for (int i = 0; i < text.length(); i++) {
            counts[text.charAt(i) & (CODES - 1)]++;
        }
        double bits = 0;
        for (int count : counts) {
            if (count > 0) {
                double share = (double) count / text.length();
                bits -= share * Math.log(share) / Math.log(2);
            }
        }
        return bits;
    }

    /// True if the text has the entropy that a random text of its length and alphabet has nearly always. A text of n
    /// characters cannot have more than log2(n) bits, so short texts are held to less.
    public static boolean looksRandom(CharSequence text) {
        int digits = 0;
        int letters = 0;
        int changes = 0;
        int before = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int kind = Character.isDigit(c) ? 1 : Character.isUpperCase(c) ? 2 : Character.isLowerCase(c) ? 3 : 4;
            digits += kind == 1 ? 1 : 0;
            letters += kind == 2 || kind == 3 ? 1 : 0;
            changes += kind != before ? 1 : 0;
            before = kind;
        }
        if (digits == 0 || letters == 0 || text.length() < 10) {
            return false;
        }
        boolean hexadecimal = isHexadecimal(text);
        double least = hexadecimal ? 2.6 : Math.min(3.6, 0.75 * Math.log(text.length()) / Math.log(2));
        // in words and names the kind of character changes seldom
        return entropy(text) >= least && changes * 4 >= text.length();
    }

    private static boolean isHexadecimal(CharSequence text) {
        return text.chars().allMatch(c -> Character.digit(c, 16) >= 0);
    }
}
