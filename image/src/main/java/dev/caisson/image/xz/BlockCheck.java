package dev.caisson.image.xz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.zip.CRC32;

/// The checksum after each block of xz data, xz-file-format.txt section 3.4. One of an unknown kind has a length and
/// always holds, as the format says.
sealed interface BlockCheck {
    /// Returns how many bytes it takes.
    int bytes();

    void add(byte[] content);

    /// Compares the checksum with the stored one, and begins again.
    /// @return whether they are the same
    boolean endsWith(byte[] stored);

    /// Makes the one of a kind.
    /// @param kind its number, 0 to 15
    static BlockCheck of(int kind) {
        return switch (kind) {
            case 1 -> new Crc32(new CRC32());
            case 4 -> new Crc64();
            case 10 -> Sha256.make();
            default -> new Unknown(kind == 0 ? 0 : 4 << ((kind - 1) / 3));
        };
    }

    record Unknown(int bytes) implements BlockCheck {
        @Override
        public void add(byte[] content) {
            // nobody knows how it is computed
        }

        @Override
        public boolean endsWith(byte[] stored) {
            return true;
        }
    }

    record Crc32(CRC32 sum) implements BlockCheck {
        @Override
        public int bytes() {
            return Integer.BYTES;
        }

        @Override
        public void add(byte[] content) {
            sum.update(content);
        }

        @Override
        public boolean endsWith(byte[] stored) {
            int value = (int) sum.getValue();
            sum.reset();
            return ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN).getInt() == value;
        }
    }

    /// The CRC of ECMA-182, bits reversed.
    final class Crc64 implements BlockCheck {
        private static final long POLYNOMIAL = 0xc96c5795d7870f42L;
        private static final long[] TABLE = new long[256];
        private long sum = -1;

        static {
            for (int i = 0; i < TABLE.length; i++) {
                long value = i;
                for (int bit = 0; bit < Byte.SIZE; bit++) {
                    value = (value & 1) == 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
                }
                TABLE[i] = value;
            }
        }

        @Override
        public int bytes() {
            return Long.BYTES;
        }

        @Override
        public void add(byte[] content) {
            long value = sum;
            for (byte b : content) {
                value = TABLE[((int) value ^ b) & 0xff] ^ (value >>> Byte.SIZE);
            }
            sum = value;
        }

        @Override
        public boolean endsWith(byte[] stored) {
            long value = ~sum;
            sum = -1;
            return ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN).getLong() == value;
        }
    }

    record Sha256(MessageDigest digest) implements BlockCheck {
        static Sha256 make() {
            try {
                return new Sha256(MessageDigest.getInstance("SHA-256"));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public int bytes() {
            return digest.getDigestLength();
        }

        @Override
        public void add(byte[] content) {
            digest.update(content);
        }

        @Override
        public boolean endsWith(byte[] stored) {
            return Arrays.equals(stored, digest.digest());
        }
    }
}
