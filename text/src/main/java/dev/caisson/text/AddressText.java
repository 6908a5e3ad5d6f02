package dev.caisson.text;

import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Pattern;

/// IP addresses as people write them. No name is ever looked up.
public final class AddressText {
    private static final Pattern IPV4 = Pattern.compile("(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?!$)|$)){4}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]{2,45}");
    private static final int GROUPS = 8;

    private AddressText() {}

    /// Reads `192.0.2.7` or `2001:db8::7`; empty for anything else, a name or a zone among it.
    public static Optional<InetAddress> parse(String text) {
        boolean six = text.indexOf(':') >= 0;
        if (!(six ? IPV6 : IPV4).matcher(text).matches() || (!six && hasLeadingZero(text))) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// `010` is eight to some programs and ten to others.
    private static boolean hasLeadingZero(String text) {
        for (String part : text.split("\\.", -1)) {
            if (part.length() > 1 && part.charAt(0) == '0') {
                return true;
            }
        }
        return false;
    }

    /// Writes an address in the short form, RFC 5952.
    public static String of(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == 4 ? address.getHostAddress() : shortForm(bytes);
    }

    private static String shortForm(byte[] bytes) {
        int[] groups = new int[GROUPS];
        for (int i = 0; i < GROUPS; i++) {
            groups[i] = Byte.toUnsignedInt(bytes[2 * i]) << 8 | Byte.toUnsignedInt(bytes[2 * i + 1]);
        }
        int from = 0;
        int length = 1; // a single zero is not shortened
        for (int i = 0; i < GROUPS; i++) {
            int run = zeros(groups, i);
            if (run > length) {
                from = i;
                length = run;
            }
        }
        var text = new StringBuilder();
        for (int i = 0; i < GROUPS; i++) {
            if (length > 1 && i == from) {
                text.append("::");
                i += length - 1;
                continue;
            }
            if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(groups[i]));
        }
        return text.toString();
    }

    private static int zeros(int[] groups, int from) {
        int end = from;
        while (end < GROUPS && groups[end] == 0) {
            end++;
        }
        return end - from;
    }
}
