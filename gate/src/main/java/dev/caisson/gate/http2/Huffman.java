package dev.caisson.gate.http2;

/// Reads texts in the Huffman code of RFC 7541 appendix B. The code is canonical: codes of one length follow each other
/// in the order of their symbols, and a longer one follows the last shorter one, so that their lengths say them all.
final class Huffman {
    private static final int END = 256;
    private static final int LONGEST = 30;
    private static final int MOST_PADDING = 7;

    private static final int[] LENGTHS = {
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, //
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, //
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, //
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, //
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, //
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, //
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, //
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, //
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, //
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, //
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, //
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, //
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, //
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, //
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, //
        30
    };

    /// Symbols by length, then by number.
    private static final int[] SYMBOLS = new int[LENGTHS.length];
    /// The first code of each length, how many there are, and where their symbols begin.
    private static final int[] FIRST = new int[LONGEST + 1];
    private static final int[] COUNT = new int[LONGEST + 1];
    private static final int[] BEGIN = new int[LONGEST + 1];

    static {
        int at = 0;
        int code = 0;
        for (int length = 1; length <= LONGEST; length++) {
            code <<= 1;
            FIRST[length] = code;
            BEGIN[length] = at;
            for (int symbol = 0; symbol < LENGTHS.length; symbol++) {
                if (LENGTHS[symbol] == length) {
                    SYMBOLS[at++] = symbol;
                }
            }
            COUNT[length] = at - BEGIN[length];
            code += COUNT[length];
        }
    }

    private Huffman() {}

    /// Decodes bytes.
    /// @throws ConnectionException COMPRESSION_ERROR for what no encoder writes
    static String decoded(byte[] bytes, int from, int to) throws ConnectionException {
        var text = new StringBuilder((to - from) * 8 / 5);
        int code = 0;
        int length = 0;
        for (int at = from; at < to; at++) {
            for (int bit = 7; bit >= 0; bit--) {
                code = (code << 1) | ((bytes[at] >> bit) & 1);
                length++;
                int index = code - FIRST[length];
                if (index >= 0 && index < COUNT[length]) {
                    int symbol = SYMBOLS[BEGIN[length] + index];
                    if (symbol == END) {
                        throw new ConnectionException(ErrorCode.COMPRESSION_ERROR, "a text has its end within it");
                    }
                    text.append((char) symbol);
                    code = 0;
                    length = 0;
                } else if (length == LONGEST) {
                    throw new ConnectionException(ErrorCode.COMPRESSION_ERROR, "a text has a code that is none");
                }
            }
        }
        if (length > MOST_PADDING || code != (1 << length) - 1) {
            throw new ConnectionException(ErrorCode.COMPRESSION_ERROR, "a text ends within a code");
        }
        return text.toString();
    }
}
