package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.caisson.image.zstd.ZstdException;
import dev.caisson.image.zstd.ZstdInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What zstd 1.5 made of contents that are larger than a block, a window or ten bits of literals.
@Timeout(60)
class ZstdLargeTests {
    /// In Base64: repeats behind a window of 128 KiB (-19), two symbols (-19), four symbols (-1), runs (-19), zeros
    /// (-3).
    private static final List<String> PACKED = List.of(
            "KLUv/YQ4oLsNABwTAIQlU8N9eI60TbdIL21GPRnlcCRMu6DjWPx4dPqMsZVcr7UyElP+k9EjLEXtTOnJmQ19/9wBMFFVLGOg"
                    + "sMdt7uTMNtAyQJaR3UNrJqrYfNYWdRGmWkpOhh9RUzwBGhYUxlT7RFsaOCGSA+sEnej4+kpzpC/8bfMYbcTBYiVdo525n3uo"
                    + "xLvd26e9JfcAVFTO62GvsvtCFp/32yUoVGgMInYGLxKn+nxX08iQFwn1ieqylqlJj6GwtXTw9qfGFEo6tt+NmjqwDizQfKV7"
                    + "8qGO5VhrCwrwYrjwnlms9rM4VH8vhBBat7OK81Qy2zvxMlxZkzZMDVZeJugrccAuU6sjhppMLmhU3elDGUCqcUB/6tscUeRs"
                    + "+WvzN9SNqWfeSK7qr49f3UoFIrbVAIszFWAwBqsTTD0QYxZzUgbfuIzk7kEmphzQ0gMu4kHJ9ZqprSdw+NT8mdUdiDVbNds7"
                    + "lFjaJLfn3FoirwRfFvNhvTQ/xrK77GqXf3JAFKhwFQYwfWsrGqwXk3PhnMcK10a27u0GY6yzEVBFODep8REEMZcqmO0HTEaS"
                    + "/XLvsNbLHZsQj94cg4Jm3GFJZIzvcCDVADdZAzYf4XH4OfSyMildhM/9R3X4sORTCXy/VVjj4gqlfKcFX35eRZwOpGfWSH6L"
                    + "Zg84BsKVAMx3qUGb5MPB6LzReYo5vzgpIcn2ZXqA+cYMnapmm4k0YOGo4vdNaTWGfg/ILH485DO/QuNE1ilFTfmAlC465Pgm"
                    + "gFKZAEost/0kDIuA5UzdfK1SYp6inNs6ZY/u9lb/wziNfV5Qk2S/AQBYSvu35CINVAAAAAEA/f/z/rkGAkQAAAABAP3/OQAC"
                    + "RAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRQAAAAEAnbs5AAIAsoSw",
            "KLUv/QBodVAALrEEWwKAEFkCWQJZAnjJC1G0/R/QpvlPtm8/0Avi9J9jJ7cEdyTWiRV70Q+fkXQWKAJ6eOqUFqwZr3lOXj2U"
                    + "U5NbBmcfEjxmEr0DkUy+2GPTGAaqbPseFCvTT3QZa+vaqU/glCc1NSUPTKhD+rnsor7aQ0RpzTUldHK4q7ASsCiBCpe3nC+M"
                    + "wHTHQHl2ZQQOFZqFdGROk60lSraN8pOzw4u2n8YsKO7vSxe5esCh485hm4AomGZLBqnMY8XgFtSDub/+cnVHdEGPuW+awzWE"
                    + "m9qgqh7TnVM06mZAZmNGy/rADJCsPHIGRrYReyah34igrUIG8ou5bu/lDTy6hYOjvg1JsWCT5a0cmF0NayBMiYEcp788XMs0"
                    + "+P1uaI33zAgvea5ZzNjSuHE1G9qP8zJZTT3Gz0TA7CsqMCRcAY49Wn5VlkPm3XnGvPah9IMF69rvKbGPZGWdJbt8Kph5JnVA"
                    + "/EWldZe8Mjfqk9Liwxwmp5UyAt5kcGw/fRJZvwACcaTF/Mm5EerhDBz88R81LIZXjKaGTO++MyXbfvjC9ugYJYjs3bkIhbqU"
                    + "SCRYhKjS5dXaAevpoZ4NNVt5k1m02pF5gnvKUAQ4fFrrW47W4bb6QJbBYNRWnK9L6E1PUbSe6MlO58Ff2yvOdRnP93bFk36E"
                    + "tXFomgQmLsEzqr0XzyFRWoSgEoHwgUEboN3mqBhW8rDNlNn76TCVCrw478r5yAXiFM+z4Qq1msGHOqI0WZ/XaF2gNhmDDMts"
                    + "m3OnVPiRAm5tfw6KJIPgohkg8OtO8pdNJdmbeD86cPcR+/FIqVqqWp0CoavpJTs7sp50sFS8wT/28WvGzhOAfwJWkZsj0wyd"
                    + "a5n0bntNQPUbXTn3lLaGcWTHQmnfsTzYtF+g+dKYT0UCbylxaeR8/omECZdk7EEBDXG0N04QBtlmlPpMvO6YM2/bj3/EUcVb"
                    + "O69QJi+/g91gFTs4SDwqcvydXozn+wAtVghkxTpMqxsc+WGQ0YvTSHWqRZ2b4kHf0fvmrwfBHeMB7/TsH5lqBXxC4dzD1PDa"
                    + "HEKrlzbQDzfrIPfQn1ys5ELGu+V532Ltppbwu5hLWZ0IYeR+QtqfC3V0R7SEqUJ3bmNVZzBNkUx8PlXPNiQVdlPE8HlDQZvx"
                    + "B+B5mJcETWdydzwdxI86SIRrkyRT+nKyYpfyL4cOA86qLpwZLRBKIgBeZYOxxyJ2T6ULscHr5eIUlt8T2K5LJGPZBvKuwK1y"
                    + "MkhC/35gqt3DU/xyaU+Cp46ezX2xxdGbbyfz85ofFoCUf7IxZ2b6S7KltXE2z/8Kmv6mEhyivpwSgXP1+/8B0Fa4lBW0oGx+"
                    + "RCAZZ1LDSxGALIGTDjTM0VGM1daYu29Orltv4rBx1cY2OF41R/KynlIvHfr6uX3rL+OL3nhcZp+Qol8GoXHwO00TL5KADMxr"
                    + "WDId2ldwKhLzEtxX1e2l67Ns1+Ox5UiBOSJQijnHy2nxTLdkB24SzKQiKU0sYrLi3iN+Q5arNB7jmiS3Q2DICEHjg7+d3cSV"
                    + "BPhk3KFdM98N8S4nPc3qnABC5keUdpND+GqkkbzqIEDkB44V8Z1AfbZxNTgZ2K9DYi0qNtyNIWFl/vVHQqcs36JIU1M+U9I1"
                    + "fwG+9S3f5sDtfOrqorntTovyfvdbDoITORWng9q4CF17PK7gA7sSDDgKHQjjpT1V46lx63GE/Z/kV9xzv2PCjlmlKtKYIBeg"
                    + "50p25VP00ubBFfHo7mL40jkzEp2nNki98w8j13aGYOwyLKAfFi1ale+c5f1IXc8+ruRlZEY+sEaTkoPNQ+JVaEsZnUCaPpe0"
                    + "PUfl76rOC3qKTFUFcnbXAgE0EyloqZxOX4svm+Dvhas5CeD88hxlvPmmfMee3b8PcoRXvOq4U8EgNiQIabZSO3lAzQxlVuX/"
                    + "MmYfOuRWkaP2Ti12ahr/iR50pYIivwGcqF+3adLnYxUVSZgCpnoJv/haNG9hWvvGKnxKlONinGHAV9YPMNehyNdq+H+43QYy"
                    + "wNHGdKi6Ej3prG8hLFopwf70REZyJ9ueEJ6diUfS0oJ8tlz9mAs8bxZyhhU3bMLfwtnLgHjl0cLUbcCM9ydGN962wOvtMdcK"
                    + "SfdUi/bpetowsItwMb+XMfkZbFPfw1C6GZc81Ir0pBuRKxbGYopDnZ2NeM6jaqUUzOnEU1rSwWTbiWBDkALPqG7V5qKnu/HJ"
                    + "UQ90HQis76f1hvb9r49VAVsIx7C6hMHDR7DOikuyYAdTAqPAEhrAhRJyH7TvpqRdFgKYZKFir3EwTnyGGu/1WoOY/nIo/Co0"
                    + "LQObgAr/MBGUoVV/v+DE0I0/dGX/12U2BZmZJSN+VdtU/amo9serz9StQoicFopD9oGESTmMkCpNEwb+EZgb2AFkM8o60gI+"
                    + "DVsG8OFgweUuQcylAGTMFkNKCA5za58mMYknWmBWHqV7c6rqu9BLHGV4s+88H7bHOv+Ufy8BMxuGP71hX11NOSiqLtZiteL/"
                    + "nU5hbDuZxFkrNtOb1y6YeCoLzibYn5vmPUUDVhIBH9Yzch8TFHKcRezvdgKlejVZ1R101ddD206pqWPB0iaTEUJP6mtLchPY"
                    + "ufANI+70vPxqwiAFsqkV2buqukUUkxm7iXayIjg0Ju/4YpyuaA0mBKH4qF7Gr9nCX0gMspi6yne0qpwAQCoifkqDQhrkIPFA"
                    + "neXE3L/g/HdujNsOGkqRF3qdNFs1aA4pKsGj7UeQi6pSUt6VzjLMZKzvmnuU90v7RQAyE0x277q7IfTBwXlQRl1P/uexNOhz"
                    + "HSdl/RIe0oOIP0sQNTHLlc/nYRRPztEuIfdQ7MBqBfR9RfRAmK8QTZYnRWpA//+GTISSot03C+auuAikuWkhh+2FM7Q/B2ul"
                    + "fYhtIzvtUhH0EPUJpV1faHLPfmOgoShmPDErD5s4VlkdqrZqA8BpyrJ/7bKIk6Xh0l0Zp5OgA1P9GLNtluaaOulvQDtx+2y+"
                    + "y9Y1FCaZlvf3nh5i0Dh6v2L9NYE2u5Z39h/kL0l/wFryUnviDRVZt3uDpdStcy9tv78egrq6vpHIWEOvgQpXC5jfPK/6rxo5"
                    + "0xO288N2IwfV9Jzn6syHvR6RSHe6h+HXeX0qSD+VE1PPUHvLLPuYIUCaehM6ipSDvgUoOdLouc2/rRmbUcUyBkxY6eTrvhhp"
                    + "XNyxNgryqR7fv6/boU0KH6OqwJXxlY2LJrbfrbSx1j/jzVjypifdsf1znYJiQ8BNdQsqqBE8Q7BEeIYkMKKVDyBGaKRghMw2"
                    + "EfwgAfIEyHAqtwEy3Xjyw0mb9ZDpu2J9YfiUPOVsrnEugYPin3+DC9wxJy3fMGPsMPmzt0aUin6OfZE8TvriZDhRSUXWXzmb"
                    + "vfnNgrDevoZR4RAgFrxSLKpIlxIEYpYEqzEdLxnkZTsa67+HseQCaErroglTFl0sR4wffTxIdISHYSV3Sn8C",
            "KLUv/WS4CqUeADZgI4IRECEAIQAhAP8cLvz5KUhPxf3gPl4rsc9MZjHT6Ywig2ZnZEtWEQxFB+vyd9pMA6ieNG/28Ambc6qQ"
                    + "Aamlau/gHgDo30WPTaJyBkWtQ9fVFfimimO7ZaMsgwktbJq41RUTrvUSU/JupUQYB8APrmKYqgJ9YqDXms0DtKiA7sLbuZFk"
                    + "ZlBu2ieBinSPAYHPqBGuqhFJQZJKls0hBAjCMByqxR4R1Oo657DrUySgDuyRK+CJk4YKyZuOGBRaKcDHwa02DvAjh8PFF0uP"
                    + "Hgv1Dpporo96ZiTJ4bCrguelhXw+oGhKI8UdvU+vSG96JslYjvkowh2BSmcfhf06DQ1REB+rcmtF6Ge597GVyCoFwo64p/HC"
                    + "QrYStRGtT2nsjp06TvtHJldCBZTBRwh5rBRg0IPfDgREwxaI+7oTARbRg0Br84ikWALXUN2Mq53vdFSGrwnlU26Ii3XJE3s+"
                    + "jZZozBHKHyZQgj5YT6QI8oi8oE7+JSrbWbhkonVx+MWAaeF7ZFBh4goNRw44V2SWOijM2mTUNOhoqXk4WRo4Oz4JMZ7MBytb"
                    + "qQugdAk1DjMMVNc6xEQHQ/y9Fr64ykwj/wNR3DtgFZGN5V8YdsSxaLExUIbMaEGsxr1Ld8ng5CN3BREmWMFstDnBYXEjKUD1"
                    + "Ifssey2a6AY+hP4Li+ZBjkgN+Z7zX9nSjfUWmUMpB+nre1tpibkBpzgbwhDfMUUr40Jx8/PFxZI1UQSiJEa8QgCHRSJ/WakK"
                    + "sV7LIh2VadNqkg6SChBUhkdLPouwkEkIjT6eYpWsWYAicRuS5rgiNrdgcOWcxEMfcA7PF8bicBzUDmOxBTEfxORKXrCsdodE"
                    + "4n1WyfjLYpcQPr2+oXF/OFViaHsoGm8EFGbbn7FxTwp+0JlndEQefYdF9r1l7oDcEZkiUK4apXCeIwJcAziii2TCEECRKo4R"
                    + "GDhfMVTtIElBAtvVPmib1jDWXe6bguBDjn7kMmOY4OfArN4YvoDm/bHiAW1Apg3ZXZAay155jTS5FeQVPoqMPxAI6VtnoUM1"
                    + "D1vtHjL+e+7iaw4GNoRwmJOC49GL9EVeVsJH57NgcP/LpMBGFSmZ4Cjm2wmeeNF5G9O6Jvm+aKueHgfK5LzQgB5iIES0rITq"
                    + "BDjMF49QtRnjdQyKXuGfHEGWOAAnneJL9w23pIpE80aY5B6pL2qudB9Bo2Y20lG8MIFbt/OgsEj3PrwUWMILQwZ0utlo+rvw"
                    + "z0nLRNDgwPCDDB0D4rwzeybn9e7J+BZiGtdHolwueXvFpAoNwaFEOHoWdZtbO7skHJSAsbUKg4CbXg==",
            "KLUv/WT+QY0QAOZRHQfgbSJ7E4waGgAaABoAClpOykA55VFuygMtp+SBcsqj3JSMltsmKTmTy6PclIwywSZQ6YRubBoopzxK"
                    + "fXenuZRCFQI6KQPlpOTBDeZuMFdpqTzQckpA6eoy6AYTLTlltFPuRqc7gdLcg5vyKDklo2XugukqWIDjqBDQtmfwREKhOmsS"
                    + "QBBAUAgwBAiCEFAIQiEIRIAgCEIxCESAUBRCwiRYKnXffEEwbOBxsDQQPkzmaDF/B/gZAdsNZO5l7DgI51B2EDKpliperTMA"
                    + "ttyjSJKkflClgqOR2H1hM9QAa2Sm2ndcTBNf/yYcXefizxIIynAaNPdQDPs1GDx+NSbAG/kui22zYNBk3Ui7K2yiDrB6Zqp9"
                    + "x8U0saY01pCwuBXiFsiAMgTBHnooOn+tm6perZwRTG6TBaoZfVAakwf3a5vRB/Aw01ShEx1QmRG9IT1c3PEuFWKkCXkZZIMm"
                    + "CIW4X7NTVatVAoDKXVlENJMHVWN66G61iX0A3zNN9TxEbE5ud4J/iqnsFKlLL5Mk7IXwk5+/6LutVyvLCJLbZEHjMKiAhmmH"
                    + "6z63GX0A3zNN9TxEDenw63CWiAPMgUDevQx+g+YIhduvjVOl1eIBcMgtWdTNhIFqZjp1V7CJOsBiman2HRfTxNe/we06GdeC"
                    + "XD7uW74My4A3btDxCcrZiIzUT7ED9vYGuZGcMsuMaUAG0BTDFeDs",
            "KLUv/aSAGgYAVAAAEAAAAQD7/znAAgIAEAACABAAA9QAANrKoMI=");

    private static byte[] unpacked(int sample) {
        var out = new ByteArrayOutputStream();
        switch (sample) {
            case 0 -> {
                byte[] block = random(600, 3, 255);
                for (int i = 0; i < 1500; i++) {
                    out.writeBytes(block);
                }
            }
            case 1 -> out.writeBytes(random(20_000, 5, 1));
            case 2 -> out.writeBytes(random(3000, 5, 3));
            case 3 -> {
                for (int i = 0; i < 700; i++) {
                    for (int n = 0; n < i % 50; n++) {
                        out.write('A' + i % 7);
                    }
                }
            }
            default -> out.writeBytes(new byte[400_000]);
        }
        return out.toByteArray();
    }

    private static byte[] random(int count, int seed, int mask) {
        byte[] bytes = new byte[count];
        int random = seed;
        for (int i = 0; i < count; i++) {
            random = (int) ((random * 1103515245L + 12345) & 0x7fffffff);
            bytes[i] = (byte) (random >> 16 & mask);
        }
        return bytes;
    }

    private static byte[] packed(int sample) {
        return Base64.getDecoder().decode(PACKED.get(sample));
    }

    private static InputStream stream(byte[] bytes) {
        return new ZstdInputStream(new ByteArrayInputStream(bytes));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void it_comes_back_as_it_was_in_pieces_of_any_length(int sample) throws IOException {
        var random = new Random(sample);
        var out = new ByteArrayOutputStream();
        try (InputStream in = stream(packed(sample))) {
            byte[] piece = new byte[70_000];
            for (int count = 0; count >= 0; ) {
                out.write(piece, 0, count);
                count = in.read(piece, 0, 1 + random.nextInt(piece.length));
            }
        }
        assertThat(out.toByteArray()).isEqualTo(unpacked(sample));
    }

    @Test
    void single_bytes_are_read_and_what_is_there_is_told() throws IOException {
        byte[] content = unpacked(2);
        try (InputStream in = stream(packed(2))) {
            assertThat(in.available()).isZero();
            assertThat(in.read(new byte[0])).isZero();
            for (int i = 0; i < content.length; i++) {
                assertThat(in.read()).isEqualTo(content[i]);
                assertThat(in.available()).isEqualTo(content.length - i - 1);
            }
            assertThat(in.read()).isEqualTo(-1);
        }
    }

    @Test
    void the_stream_below_is_closed() throws IOException {
        var closed = new boolean[1];
        try (InputStream in = new ZstdInputStream(new ByteArrayInputStream(new byte[0]) {
            @Override
            public void close() {
                closed[0] = true;
            }
        })) {
            assertThat(in.read()).isEqualTo(-1);
        }
        assertThat(closed[0]).isTrue();
    }

    @Test
    void a_stream_is_known_by_its_first_four_bytes() {
        assertThat(ZstdInputStream.begins(packed(0))).isTrue();
        assertThat(ZstdInputStream.begins(new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd}))
                .isTrue();
        assertThat(ZstdInputStream.begins(new byte[] {0x5f, 0x2a, 0x4d, 0x18})).isTrue();
        assertThat(ZstdInputStream.begins(new byte[] {0x60, 0x2a, 0x4d, 0x18})).isFalse();
        assertThat(ZstdInputStream.begins(new byte[] {0x28, (byte) 0xb5, 0x2f})).isFalse();
        assertThat(ZstdInputStream.begins(new byte[0])).isFalse();
    }

    static void assertDamaged(String what, int... stream) {
        byte[] bytes = new byte[stream.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) stream[i];
        }
        assertThatExceptionOfType(ZstdException.class)
                .isThrownBy(() -> stream(bytes).readAllBytes())
                .withMessageContaining(what);
    }

    /// A frame of a window of 1 KiB with this one compressed block.
    static int[] block(int... block) {
        int[] frame = new int[9 + block.length];
        int[] head = {0x28, 0xb5, 0x2f, 0xfd, 0, 0, (block.length << 3 & 0xff) | 5, block.length >> 5, 0};
        System.arraycopy(head, 0, frame, 0, 9);
        System.arraycopy(block, 0, frame, 9, block.length);
        return frame;
    }

    @Test
    void each_check_of_a_block_refuses_by_its_own_sentence() {
        assertDamaged("a block is cut off", block());
        assertDamaged("a block is cut off", block(1 << 2)); // a header of two bytes
        assertDamaged("a block is cut off", block(3 << 2, 0)); // of three
        assertDamaged("a block is cut off", block(2, 0)); // of three, coded
        assertDamaged("a block is cut off", block(2 << 3, 'a')); // two literals, of which one is there
        assertDamaged("a block is cut off", block(1 << 3, 'a')); // no count of sequences
        assertDamaged("too many literals", block(1 | 1 << 2 | (1025 & 15) << 4, 1025 >> 4, 'a', 0));
        assertDamaged("something follows", block(1 << 3, 'a', 0, 0));
        assertDamaged("a reserved bit", block(1 << 3, 'a', 1, 1, 0, 0));
        assertDamaged("literals without a code", block(3, 4, 0, 1));
        assertDamaged("a block is cut off", block(2 | 1 << 4, 0x80, 0, 1)); // coded, and longer than the block
        assertDamaged("a code that there is not", block(1 << 3, 'a', 1, 0x54, 36, 0, 0, 1));
        assertDamaged("a code that there is not", block(1 << 3, 'a', 1, 0x54, 0, 32, 0, 1));
        assertDamaged("a code that there is not", block(1 << 3, 'a', 1, 0x54, 0, 0, 53, 1));
        assertDamaged("repeated that there was not", block(1 << 3, 'a', 1, 0xc0, 1));
        assertDamaged("repeated that there was not", block(1 << 3, 'a', 1, 0x30, 1));
        assertDamaged("repeated that there was not", block(1 << 3, 'a', 1, 0x0c, 1));
    }

    @Test
    void a_size_of_two_bytes_begins_at_256() throws IOException {
        byte[] frame = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 0x40, 0, 0, 0, 3, 8, 0, 'a'};

        assertThat(stream(frame).readAllBytes()).hasSize(256);
    }

    @Test
    void a_frame_s_header_is_checked() {
        assertDamaged("a reserved bit", 0x28, 0xb5, 0x2f, 0xfd, 8, 0, 1, 0, 0);
        assertDamaged("more than 63 bits", 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80);
        assertDamaged("where a frame begins", 0x28, 0xb5, 0x2f);
        assertDamaged("where a frame begins", 1, 2, 3, 4);
        assertDamaged("it is cut off", 0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 0);
        assertDamaged("holds more", 0x28, 0xb5, 0x2f, 0xfd, 0x40, 0, 0, 0, 0x0b, 8, 0, 'a'); // 257 of 256
        assertDamaged("holds less", 0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 1 << 3 | 1, 0, 0, 'a');
        assertDamaged("it is cut off", 0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 2 << 3 | 1, 0, 0, 'a');
        assertDamaged("reserved type", 0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 7, 0, 0);
    }
}
