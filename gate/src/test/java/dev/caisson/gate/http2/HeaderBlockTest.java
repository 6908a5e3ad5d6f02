package dev.caisson.gate.http2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Header blocks against the examples of RFC 7541 appendix C, and against what no encoder writes.
final class HeaderBlockTest {
    private static String decoded(HeaderDecoder decoder, String hex) throws ConnectionException {
        byte[] block = HexFormat.of().parseHex(hex.replace(" ", ""));
        return decoder.decode(block, block.length).fields().stream()
                .map(field -> field.name() + "=" + field.value())
                .collect(Collectors.joining("|"));
    }

    private static String decoded(String hex) throws ConnectionException {
        return decoded(new HeaderDecoder(), hex);
    }

    @Test
    void requests_of_the_specification_are_decoded_with_one_table() throws Exception {
        for (List<String> blocks : List.of(
                List.of( // section C.3, without the Huffman code
                        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                        "8286 84be 5808 6e6f 2d63 6163 6865",
                        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"),
                List.of( // section C.4, with it
                        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                        "8286 84be 5886 a8eb 1064 9cbf",
                        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"))) {
            var decoder = new HeaderDecoder();
            assertThat(decoded(decoder, blocks.get(0)))
                    .isEqualTo(":method=GET|:scheme=http|:path=/|:authority=www.example.com");
            assertThat(decoded(decoder, blocks.get(1)))
                    .isEqualTo(":method=GET|:scheme=http|:path=/|:authority=www.example.com|cache-control=no-cache");
            assertThat(decoded(decoder, blocks.get(2)))
                    .isEqualTo(":method=GET|:scheme=https|:path=/index.html|:authority=www.example.com"
                            + "|custom-key=custom-value");
        }
    }

    @Test
    void answers_of_the_specification_are_decoded_while_the_table_drops_the_oldest() throws Exception {
        var decoder = new HeaderDecoder();
        String date = "date=Mon, 21 Oct 2013 20:13:2";
        assertThat(
                        decoded( // section C.6, with a table of 256 bytes
                                decoder,
                                "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6"
                                        + "2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3"))
                .isEqualTo(":status=302|cache-control=private|" + date + "1 GMT|location=https://www.example.com");
        assertThat(decoded(decoder, "4883 640e ffc1 c0bf"))
                .isEqualTo(":status=307|cache-control=private|" + date + "1 GMT|location=https://www.example.com");
        assertThat(decoded(
                        decoder,
                        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d"
                                + "d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed"
                                + "4ee5 b106 3d50 07"))
                .isEqualTo(":status=200|cache-control=private|" + date + "2 GMT|location=https://www.example.com"
                        + "|content-encoding=gzip|set-cookie=foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1");
    }

    @Test
    void what_is_written_is_read_again_and_no_table_keeps_it() throws Exception {
        var text = new StringBuilder();
        for (char one = 0; one < 256; one++) {
            text.append(one);
        }
        String longer = text.toString().repeat(100);
        HeaderBlock block = new HeaderBlock()
                .add(":method", "GET")
                .add(":path", "/x")
                .add("authorization", "Bearer of the value")
                .add("x-other", longer);
        var decoder = new HeaderDecoder();
        HeaderList list = decoder.decode(block.array(), block.size());
        assertThat(list.fields())
                .containsExactly(
                        new HeaderField(":method", "GET"),
                        new HeaderField(":path", "/x"),
                        new HeaderField("authorization", "Bearer of the value"),
                        new HeaderField("x-other", longer));
        assertThatThrownBy(() -> decoded(decoder, "be")).hasMessageContaining("index 62 leads to no field");
        byte[] array = block.array();
        block.clear();
        assertThat(array).containsOnly(0);
    }

    /// Codes of appendix B as it prints them.
    @Test
    void texts_of_rare_bytes_are_decoded() throws Exception {
        assertThat(text("ffc7")).isEqualTo("\0"); // 1ff8
        assertThat(text("53f8")).isEqualTo(" !"); // 14, 3f8
        assertThat(text("fffffff3")).isEqualTo("\n"); // 3ffffffc
        assertThat(text("fffffbbf")).isEqualTo("\u00ff"); // 3ffffee
        assertThat(text("fffe6f")).isEqualTo("\u0080"); // fffe6
        assertThat(text("ffffff1f")).isEqualTo("\u0014"); // ffffff1 of 28 bits
    }

    private static String text(String hex) throws ConnectionException {
        byte[] bytes = bytes(hex);
        return Huffman.decoded(bytes, 0, bytes.length);
    }

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    @Test
    void blocks_that_no_encoder_writes_are_refused() {
        for (String hex : List.of(
                "80", // index 0
                "be", // an index that leads nowhere
                "ff ff ff ff ff 7f", // a number that is too large
                "ff 80 80 80 80 80", // one that does not end
                "7f", // one that ends too early
                "00 05 61", // a text that is longer than its block
                "00", // none at all
                "00 81 ff 00", // padding of a whole byte
                "00 81 18 00", // padding of zeros
                "00 84 ff ff ff ff 00", // the end of texts within one
                "3f e2 1f", // a table of more than 4096 bytes
                "82 20", // a change of the table behind a field
                "20 20 20")) { // more changes than two
            assertThatThrownBy(() -> decoded(hex))
                    .as(hex)
                    .isInstanceOfSatisfying(
                            ConnectionException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.COMPRESSION_ERROR));
        }
    }

    /// CVE-2016-6581: a block of few bytes that stands for very many.
    @Test
    void a_list_that_grows_without_end_is_not_kept() throws Exception {
        byte[] block = new byte[4100 + 100_000];
        byte[] entry = new HeaderBlock().add("x", "v".repeat(4000)).array();
        int length = 4000 + 6;
        System.arraycopy(entry, 0, block, 0, length);
        block[0] = 0x40; // with an index
        Arrays.fill(block, length, block.length, (byte) 0xbe);
        var decoder = new HeaderDecoder();
        long begun = System.nanoTime();
        HeaderList list = decoder.decode(block, block.length);
        assertThat(list.tooLarge()).isTrue();
        assertThat(list.fields()).isEmpty();
        assertThat(System.nanoTime() - begun).isLessThan(2_000_000_000L);
        assertThat(decoded(decoder, "be")).startsWith("x=vvvv"); // later blocks can be read
    }
}
