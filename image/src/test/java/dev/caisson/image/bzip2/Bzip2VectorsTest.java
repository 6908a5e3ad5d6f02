package dev.caisson.image.bzip2;

import static dev.caisson.image.PackedSamples.joined;
import static dev.caisson.image.PackedSamples.mixed;
import static dev.caisson.image.PackedSamples.text;
import static dev.caisson.image.PackedSamples.unpacked;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.PackedSamples;
import dev.caisson.image.PackedSamples.Unpacker;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Unpacks streams that libbz2 1.0.8 made of contents which are computed here.
class Bzip2VectorsTest {
    private static final List<Unpacker> BOTH = List.of(Bzip2InputStream::exact, Bzip2InputStream::searched);

    private static final byte[] LARGE = Base64.getDecoder()
            .decode("QlpoMTFBWSZTWYAxd4sAAPr///z37+b+9//7v/7993/////rz9585/9pm+s3t9fvq6O6QAIY6tBBAaA0DQaAANGg0DQGIBoA"
                    + "aDTQANNAADQ0aNAaBoNGmTQaAaNGg00NNMmmmCPSeogA0000yGRo0GgNNGgNBkGhkA0GjQAZBkaAGQBiGQ00yAA0AADCaaGm"
                    + "TQMgAqNoKJM0AmTRtNAA0ZRoyep5I02k9EwEwCYhoaaBo0YyEZoTEwmRk00wmRpkw0mTaRtTEaZMJiCSSp5TIjJp6IAMh6gA"
                    + "NDQyAGhptQA0NB6gAA0GgDT1ADRoyAGmmhoGgNAHqANACagekwYja5OW22+LQixFfs5cYsi+dzVgxFKYDLlpSLgRBIkSmGiX"
                    + "4Jr9iogvAnEt8VrqtD3Su9+nkL+I2xTSPZUqiqPcv9FcyCpBmgyRegIJmM9YUxDkIAwOU5UCmKYBgBxHKdEoAY6IhmGVuWjP"
                    + "/eprqfq22dhh552HyZuaLcaQFqZXCyAjPc29TsF9KJVYeUjPpV2l8tmk8cSIpaUcXlP+jk6KQYhelUvdCN4OggQTEStSIJDN"
                    + "C7pUBZNb78zpuDijKPCIDGgixLjnOczzPDOecypwVUmSYZDJgYYGEiHVnUJpHrFTfNrDiDfYB2pPncm5cicfuFpJhxNjCXbq"
                    + "KjKUaUGE5l7yxOw8lt7NNn4n76FLFt4FIwBasFQjppzUTh8VWAyp+5awmWSJ9QI83bXweN0w7zt8c5GnjsIZgAgJa6KIx6WK"
                    + "mX1+I0CkvyVhL4CuEWPdRS19HKkODGqOX0h8EcWwqJLg+tykWLiitqZADgbeYET9ej3fmKl35ImGWgRmUQhHoeITHeeoovDS"
                    + "raCcR4xGfkw9LVjKco9yjyCKAAMCgI9CBHrJ75WeIBp+3CsZapg1aZI7D/gW4ojihddLxRcx9MSKY4rPaIdRtlZtKInk6ABm"
                    + "nB/o8ArEJngBf4W8ndGiJpRJ0+EIsIFGKEI7RexpDykK0hWj+3X7igVYK7nW5JDqmpMIthl7uML+rWiMsdVjD/iqK2izAhwg"
                    + "LrUoBKoKH+MP/eGn70AaC5GhmoCOB8wAyyPURxNSapQ3jkEkd3Fg/4u5IpwoSEAYu8WA");
    private static final byte[] SMALL = Base64.getDecoder()
            .decode("QlpoOTFBWSZTWe81hLYAAGdf/4CTQAh/qhQIQBA/bZXwAQAGAIQADBAAAgIGCAAECSAAkRFAAAAAAAAZAAkU1IJtNBMmJk0H"
                    + "ojaagNkIcb5gnG006Figwx11U1ePG2fUE40LRFCmJhEaTtJQBkC5Jb7JHerl0ukMzRNJplIVg0DQwaGmLXnss0wL9py0TBWz"
                    + "srqTBFcfP5Vgt3yAPXpeMYhdrbABAcBy6CAxv+9Z9/B4W96p9P+LuSKcKEh3msJbAA==");
    private static final byte[] RUNS = Base64.getDecoder()
            .decode("QlpoMTFBWSZTWf9/QoIAAALDgOAAAIA/AABAAAggACEpkhpggGmmi4JTlJwBzuUj9vKANF3JFOFCQ/39Cgg=");
    private static final byte[] EACH_BYTE = Base64.getDecoder()
            .decode("QlpoMTFBWSZTWba17pUAAAB/////////////////////////////////////////////sADFUgAAAAAAAAAAAAAAAAAAAAAB"
                    + "MAmAAAAAAAAAAAAAAEwABMAEmAAmAAJgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAkwAEwABMAAAAAAAAAAAAAAAAAAA"
                    + "AAAAAAAAAAAAAAAAAAPwCAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo"
                    + "7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5"
                    + "/gIGCg4SFhoeIiYqLjI2Oj5CRkpWWl5iZmpucnZ6foKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr/AwcLDxMXGxcb"
                    + "HyMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9F3JFOFCQtrXulQ=");
    private static final byte[] TWO_STREAMS = Base64.getDecoder()
            .decode("QlpoMTFBWSZTWU6jS88AAA0ZgEAAAgArfu5wIAAjP9UCaY0TT2pCgaaGRkxJo3HpN5kgVZiLibuZLW5PATrhw/F3JFOFCQTq"
                    + "NLzwQlpoOTFBWSZTWVumTLkAADD/nYASAALEAH/6IRACABWz24hoBQIYEUDAAAHCIABURQTCGmJoNMmA0Q2ahom09QimgAaA"
                    + "BoAAAAANMFx9Xtc2U/T6wgBFSwXMLfEBBNkNgbIbOGAihAEs1PktawLh9XiAEoF4UHH4JwW6KMn/kWRaKNsRKs2LcXckU4UJ"
                    + "Bbpky5A=");

    private static void assertIs(byte[] packed, byte[] plain) throws IOException {
        for (Unpacker unpacker : BOTH) {
            assertThat(unpacked(unpacker, packed)).isEqualTo(plain);
        }
    }

    @Test
    void what_libbz2_packed_is_unpacked() throws IOException {
        assertIs(LARGE, mixed(1, 2500));
        assertIs(SMALL, mixed(8, 900));
        PackedSamples.assertUnpacks(Bzip2InputStream::exact, SMALL, mixed(8, 900));
    }

    /// Four equal bytes are followed by how many more there are, up to 255.
    @Test
    void runs_are_unpacked() throws IOException {
        assertIs(
                RUNS,
                text("a" + "x".repeat(3) + "b" + "x".repeat(4) + "c" + "x".repeat(5) + "d" + "x".repeat(259) + "e"
                        + "x".repeat(260) + "f" + "x".repeat(601)));
    }

    @Test
    void all_bytes_are_in_the_alphabet() throws IOException {
        byte[] each = new byte[256];
        for (int i = 0; i < each.length; i++) {
            each[i] = (byte) i;
        }
        assertIs(EACH_BYTE, each);
    }

    @Test
    void a_stream_may_follow_another_one() throws IOException {
        byte[] both = joined(mixed(9, 100), mixed(10, 100));
        assertIs(TWO_STREAMS, both);
        assertIs(joined(TWO_STREAMS, SMALL), joined(both, mixed(8, 900)));
    }

    @Test
    void what_is_cut_off_or_damaged_is_told() {
        PackedSamples.assertNothingCutOffPasses(Bzip2InputStream::exact, RUNS);
        PackedSamples.assertNothingDamagedPasses(Bzip2InputStream::exact, SMALL, mixed(8, 900));
        PackedSamples.assertDamageIsTold(Bzip2InputStream::searched, SMALL);
    }
}
