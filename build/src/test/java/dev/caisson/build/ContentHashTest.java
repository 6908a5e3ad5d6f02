package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.linux.ByteText;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class ContentHashTest {
    @Test
    void names_that_are_no_text_are_told_apart() {
        String one = ByteText.of(new byte[] {'a', (byte) 0x80});
        String other = ByteText.of(new byte[] {'a', (byte) 0x81});

        assertThat(new ContentHash().add(one).hex())
                .isNotEqualTo(new ContentHash().add(other).hex());
    }

    /// Directories of cache mounts and the keys of shared caches are such hashes: they stay what they are.
    @Test
    void every_field_stands_behind_its_length() throws IOException {
        String text = "größe 😀 ".repeat(600);
        byte[] bytes = "bytes".repeat(2_000).getBytes(StandardCharsets.UTF_8);
        String hash = new ContentHash()
                .add("")
                .add(-7L)
                .add(text)
                .add(bytes)
                .add(1L << 40)
                .add("end")
                .hex();

        var expected = new ByteArrayOutputStream();
        try (var data = new DataOutputStream(expected)) {
            data.writeInt(0);
            data.writeInt(Long.BYTES);
            data.writeLong(-7);
            data.writeInt(text.length() * 2);
            data.writeChars(text);
            data.writeInt(bytes.length);
            data.write(bytes);
            data.writeInt(Long.BYTES);
            data.writeLong(1L << 40);
            data.writeInt(6);
            data.writeChars("end");
        }
        MessageDigest sha = ContentHash.algorithm();
        assertThat(hash).isEqualTo(HexFormat.of().formatHex(sha.digest(expected.toByteArray())));
    }
}
