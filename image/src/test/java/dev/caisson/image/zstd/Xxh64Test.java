package dev.caisson.image.zstd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// XXH64 with seed 0 of the first bytes of 0, 1, 2 and so on, as zstd(1) writes their lower half behind a frame.
class Xxh64Test {
    @ParameterizedTest
    @CsvSource({
        "0, 51d8e999",
        "1, db052768",
        "3, 33bc65dd",
        "4, 4453cc1e",
        "5, 6e26030c",
        "7, 630c72d2",
        "8, 14b81b8d",
        "9, a7c78c5b",
        "12, 1f08dca5",
        "15, f6abac2d",
        "16, b84169f7",
        "31, 9b4d8ee1",
        "32, 16ff32b4",
        "33, cafb8ead",
        "36, e3aef05c",
        "39, 1679a859",
        "40, b11741e9",
        "63, a95f8e4f",
        "64, db6713f0",
        "65, 2ae4465b",
        "100, 32166597",
    })
    void content_of_each_length_has_its_hash_in_whatever_pieces_it_comes(int size, String lower) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) i;
        }
        for (int piece : new int[] {1, 3, 31, 32, 33, 100}) {
            var hash = new Xxh64();
            for (int at = 0; at < size; at += piece) {
                hash.add(bytes, at, Math.min(piece, size - at));
            }
            assertThat("%08x".formatted((int) hash.value())).isEqualTo(lower);
        }
    }
}
