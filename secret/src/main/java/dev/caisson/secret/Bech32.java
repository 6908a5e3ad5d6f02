package dev.caisson.secret;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The text form of age's keys: Bech32 of BIP 173, without its limit of 90 characters.
final class Bech32 {
    private static final String ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    private static final int[] GENERATOR = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    private static final int CHECKSUM = 6;
    private static final int LONGEST = 256;

    private Bech32() {}

    /// Returns the lower-case form, as ASCII.
    static byte[] encode(String prefix, byte[] data) {
        byte[] groups = Objects.requireNonNull(regroup(data, 0, data.length, 8, 5, true));
        byte[] checked = Arrays.copyOf(groups, groups.length + CHECKSUM);
        int sum = checksum(prefix, checked) ^ 1;
        for (int i = 0; i < CHECKSUM; i++) {
            checked[groups.length + i] = (byte) (sum >>> (5 * (CHECKSUM - 1 - i)) & 31);
        }
        byte[] text = new byte[prefix.length() + 1 + checked.length];
        for (int i = 0; i < prefix.length(); i++) {
            text[i] = (byte) prefix.charAt(i);
        }
        text[prefix.length()] = '1';
        for (int i = 0; i < checked.length; i++) {
            text[prefix.length() + 1 + i] = (byte) ALPHABET.charAt(checked[i]);
        }
        Arrays.fill(groups, (byte) 0);
        Arrays.fill(checked, (byte) 0);
        return text;
    }

    /// Returns the data of a text with `prefix`, all of whose letters have the case of the prefix; null if it is
    /// malformed.
    static byte @Nullable [] decode(String prefix, byte[] text) {
        String lower = prefix.toLowerCase(Locale.ROOT);
        boolean upper = !lower.equals(prefix);
        int start = prefix.length() + 1;
        if (text.length < start + CHECKSUM || text.length > LONGEST || text[prefix.length()] != '1') {
            return null;
        }
        byte[] groups = new byte[text.length - start];
        try {
            for (int i = 0; i < prefix.length(); i++) {
                if (text[i] != prefix.charAt(i)) {
                    return null;
                }
            }
            for (int i = 0; i < groups.length; i++) {
                int c = text[start + i];
                boolean otherCase = upper ? (c >= 'a' && c <= 'z') : (c >= 'A' && c <= 'Z');
                int index = otherCase ? -1 : ALPHABET.indexOf(upper ? Character.toLowerCase(c) : c);
                if (index < 0) {
                    return null;
                }
                groups[i] = (byte) index;
            }
            return checksum(lower, groups) == 1 ? regroup(groups, 0, groups.length - CHECKSUM, 5, 8, false) : null;
        } finally {
            Arrays.fill(groups, (byte) 0);
        }
    }

    private static int checksum(String prefix, byte[] groups) {
        int sum = 1;
        for (int i = 0; i < prefix.length(); i++) {
            sum = step(sum, prefix.charAt(i) >> 5);
        }
        sum = step(sum, 0);
        for (int i = 0; i < prefix.length(); i++) {
            sum = step(sum, prefix.charAt(i) & 31);
        }
        for (byte group : groups) {
            sum = step(sum, group);
        }
        return sum;
    }

    private static int step(int sum, int value) {
        int top = sum >>> 25;
        int next = ((sum & 0x1ffffff) << 5) ^ value;
        for (int i = 0; i < GENERATOR.length; i++) {
            next ^= ((top >> i) & 1) == 0 ? 0 : GENERATOR[i];
        }
        return next;
    }

    /// Cuts groups of `from` bits into groups of `to` bits. Without padding, the bits that are left over are zeros and
    /// fewer than a group was, else null.
    private static byte @Nullable [] regroup(byte[] data, int offset, int length, int from, int to, boolean padded) {
        byte[] groups = new byte[(length * from + (padded ? to - 1 : 0)) / to];
        int bits = 0;
        int count = 0;
        int used = 0;
        for (int i = 0; i < length; i++) {
            bits = ((bits << from) | (data[offset + i] & ((1 << from) - 1))) & 0xffff;
            count += from;
            while (count >= to) {
                count -= to;
                groups[used++] = (byte) ((bits >> count) & ((1 << to) - 1));
            }
        }
        if (padded && count > 0) {
            groups[used] = (byte) ((bits << (to - count)) & ((1 << to) - 1));
        }
        return padded || (count < from && (bits & (1 << count) - 1) == 0) ? groups : null;
    }
}
