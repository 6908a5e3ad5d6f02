package dev.caisson.secret;

import java.util.Arrays;
import javax.crypto.Mac;

/// A key from a passphrase, whose computation takes much memory: scrypt of RFC 7914.
final class Scrypt {
    private static final int WORDS = 16;

    private Scrypt() {}

    /// Returns `length` bytes.
    ///
    /// @param log binary logarithm of the cost; it takes 128 · r · 2^log bytes of memory
    static byte[] key(byte[] passphrase, byte[] salt, int log, int r, int p, int length) {
        int blockWords = 32 * r;
        byte[] start = pbkdf2(passphrase, salt, p * blockWords * Integer.BYTES);
        int[] block = new int[blockWords];
        int[] memory = new int[Math.multiplyExact(blockWords, 1 << log)];
        try {
            for (int i = 0; i < p; i++) {
                int offset = i * blockWords * Integer.BYTES;
                toWords(start, offset, block);
                mix(block, memory, log, r);
                toBytes(block, start, offset);
            }
            return pbkdf2(passphrase, start, length);
        } finally {
            Arrays.fill(start, (byte) 0);
            Arrays.fill(block, 0);
            Arrays.fill(memory, 0);
        }
    }

    /// PBKDF2 of RFC 8018 with HMAC-SHA256 and one iteration.
    static byte[] pbkdf2(byte[] passphrase, byte[] salt, int length) {
        Mac mac = Kdf.hmac(passphrase);
        byte[] key = new byte[length];
        for (int block = 1, at = 0; at < length; block++) {
            mac.update(salt);
            byte[] part = mac.doFinal(
                    new byte[] {(byte) (block >>> 24), (byte) (block >>> 16), (byte) (block >>> 8), (byte) block});
            int count = Math.min(part.length, length - at);
            System.arraycopy(part, 0, key, at, count);
            Arrays.fill(part, (byte) 0);
            at += count;
        }
        return key;
    }

    /// scryptROMix.
    private static void mix(int[] block, int[] memory, int log, int r) {
        int count = 1 << log;
        int[] other = new int[block.length];
        int[] words = new int[WORDS];
        for (int i = 0; i < count; i++) {
            System.arraycopy(block, 0, memory, i * block.length, block.length);
            mixBlocks(block, other, words, r);
        }
        for (int i = 0; i < count; i++) {
            int from = (block[block.length - WORDS] & (count - 1)) * block.length;
            for (int w = 0; w < block.length; w++) {
                block[w] ^= memory[from + w];
            }
            mixBlocks(block, other, words, r);
        }
        Arrays.fill(other, 0);
        Arrays.fill(words, 0);
    }

    /// scryptBlockMix, in place.
    private static void mixBlocks(int[] block, int[] other, int[] x, int r) {
        System.arraycopy(block, block.length - WORDS, x, 0, WORDS);
        for (int i = 0; i < 2 * r; i++) {
            for (int w = 0; w < WORDS; w++) {
                x[w] ^= block[i * WORDS + w];
            }
            salsa(x);
            System.arraycopy(x, 0, other, (i / 2 + (i & 1) * r) * WORDS, WORDS);
        }
        System.arraycopy(other, 0, block, 0, block.length);
    }

    /// Salsa20/8.
    private static void salsa(int[] b) {
        int x0 = b[0], x1 = b[1], x2 = b[2], x3 = b[3], x4 = b[4], x5 = b[5], x6 = b[6], x7 = b[7];
        int x8 = b[8], x9 = b[9], x10 = b[10], x11 = b[11], x12 = b[12], x13 = b[13], x14 = b[14], x15 = b[15];
        for (int i = 0; i < 4; i++) {
            x4 ^= Integer.rotateLeft(x0 + x12, 7);
            x8 ^= Integer.rotateLeft(x4 + x0, 9);
            x12 ^= Integer.rotateLeft(x8 + x4, 13);
            x0 ^= Integer.rotateLeft(x12 + x8, 18);
            x9 ^= Integer.rotateLeft(x5 + x1, 7);
            x13 ^= Integer.rotateLeft(x9 + x5, 9);
            x1 ^= Integer.rotateLeft(x13 + x9, 13);
            x5 ^= Integer.rotateLeft(x1 + x13, 18);
            x14 ^= Integer.rotateLeft(x10 + x6, 7);
            x2 ^= Integer.rotateLeft(x14 + x10, 9);
            x6 ^= Integer.rotateLeft(x2 + x14, 13);
            x10 ^= Integer.rotateLeft(x6 + x2, 18);
            x3 ^= Integer.rotateLeft(x15 + x11, 7);
            x7 ^= Integer.rotateLeft(x3 + x15, 9);
            x11 ^= Integer.rotateLeft(x7 + x3, 13);
            x15 ^= Integer.rotateLeft(x11 + x7, 18);
            x1 ^= Integer.rotateLeft(x0 + x3, 7);
            x2 ^= Integer.rotateLeft(x1 + x0, 9);
            x3 ^= Integer.rotateLeft(x2 + x1, 13);
            x0 ^= Integer.rotateLeft(x3 + x2, 18);
            x6 ^= Integer.rotateLeft(x5 + x4, 7);
            x7 ^= Integer.rotateLeft(x6 + x5, 9);
            x4 ^= Integer.rotateLeft(x7 + x6, 13);
            x5 ^= Integer.rotateLeft(x4 + x7, 18);
            x11 ^= Integer.rotateLeft(x10 + x9, 7);
            x8 ^= Integer.rotateLeft(x11 + x10, 9);
            x9 ^= Integer.rotateLeft(x8 + x11, 13);
            x10 ^= Integer.rotateLeft(x9 + x8, 18);
            x12 ^= Integer.rotateLeft(x15 + x14, 7);
            x13 ^= Integer.rotateLeft(x12 + x15, 9);
            x14 ^= Integer.rotateLeft(x13 + x12, 13);
            x15 ^= Integer.rotateLeft(x14 + x13, 18);
        }
        int[] mixed = {x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15};
        for (int i = 0; i < WORDS; i++) {
            b[i] += mixed[i];
        }
    }

    private static void toWords(byte[] bytes, int offset, int[] words) {
        for (int i = 0; i < words.length; i++) {
            int at = offset + 4 * i;
            words[i] = (bytes[at] & 0xff)
                    | (bytes[at + 1] & 0xff) << 8
                    | (bytes[at + 2] & 0xff) << 16
                    | (bytes[at + 3] & 0xff) << 24;
        }
    }

    private static void toBytes(int[] words, byte[] bytes, int offset) {
        for (int i = 0; i < words.length; i++) {
            int at = offset + 4 * i;
            bytes[at] = (byte) words[i];
            bytes[at + 1] = (byte) (words[i] >>> 8);
            bytes[at + 2] = (byte) (words[i] >>> 16);
            bytes[at + 3] = (byte) (words[i] >>> 24);
        }
    }
}
