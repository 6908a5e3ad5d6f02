package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tests of one word: which words come out so, and whether there is one for several.
class WordTestTest {
    /// All other bits are 0 in every mask and constant, so that these stand for all words.
    private static final List<Integer> BITS = List.of(31, 30, 16, 1, 0);

    private static int word(int chosen) {
        int word = 0;
        for (int at = 0; at < BITS.size(); at++) {
            word |= (chosen >>> at & 1) << BITS.get(at);
        }
        return word;
    }

    @ParameterizedTest
    @CsvSource({
        "EQUAL, 7, -1, 7, true",
        "EQUAL, 6, -1, 7, false",
        "EQUAL, 15, 7, 7, true",
        "GREATER, 8, -1, 7, true",
        "GREATER, 7, -1, 7, false",
        "GREATER, -1, -1, 7, true",
        "GREATER, 9, 6, 7, false",
        "GREATER_OR_EQUAL, 7, -1, 7, true",
        "GREATER_OR_EQUAL, 6, -1, 7, false",
        "GREATER_OR_EQUAL, 1, -1, -1, false",
        "ANY_BIT, 4, -1, 6, true",
        "ANY_BIT, 1, -1, 6, false",
        "ANY_BIT, 4, 2, 6, false"
    })
    void a_word_comes_out_as_in_the_kernel(Node.Jump jump, int word, int mask, int constant, boolean holds) {
        assertThat(new WordTest(16, mask, jump, constant, true).holds(word)).isEqualTo(holds);
        assertThat(new WordTest(16, mask, jump, constant, false).holds(word)).isEqualTo(!holds);
    }

    /// Against every word that there is.
    @Test
    void a_word_is_found_where_there_is_one_and_only_there() {
        Seeds.check(4000, random -> {
            var tests = new ArrayList<WordTest>();
            for (int left = random.nextInt(1, 5); left > 0; left--) {
                tests.add(new WordTest(
                        16,
                        random.nextBoolean() ? Node.ALL : word(random.nextInt(32)),
                        Seeds.one(random, List.of(Node.Jump.values())),
                        word(random.nextInt(32)),
                        random.nextBoolean()));
            }
            boolean there = false;
            for (int chosen = 0; chosen < 32; chosen++) {
                int word = word(chosen);
                there |= tests.stream().allMatch(test -> test.holds(word));
            }
            OptionalInt found = WordTest.satisfy(tests);
            found.ifPresent(word -> assertThat(tests).allMatch(test -> test.holds(word)));
            if (there) {
                assertThat(found).as("%s", tests).isPresent();
            }
        });
    }

    /// Each leaves the search no choice, and it must not try 2^32 words to find that out.
    @Test
    @Timeout(20)
    void a_test_of_every_bit_takes_no_time() {
        var tests = new ArrayList<WordTest>();
        for (int bit = 0; bit < 32; bit++) {
            tests.add(new WordTest(16, Node.ALL, Node.Jump.ANY_BIT, 1 << bit, bit % 3 != 0));
            tests.add(new WordTest(16, 1 << bit, Node.Jump.EQUAL, 1 << bit, bit % 3 != 0));
        }
        assertThat(WordTest.satisfy(tests)).hasValue(0b10110110_11011011_01101101_10110110);
        tests.add(new WordTest(16, Node.ALL, Node.Jump.EQUAL, 0b10110110_11011011_01101101_10110110, false));
        assertThat(WordTest.satisfy(tests)).isEmpty();
    }

    /// Which bits go together is what a program for satisfiability would be asked.
    @Test
    @Timeout(60)
    void tests_that_exclude_each_other_in_too_many_ways_are_refused() {
        var tests = new ArrayList<WordTest>();
        var random = new SplittableRandom(1);
        for (int clause = 0; clause < 140; clause++) {
            int mask = 0;
            while (Integer.bitCount(mask) < 3) {
                mask |= 1 << random.nextInt(32);
            }
            tests.add(new WordTest(16, mask, Node.Jump.EQUAL, random.nextInt() & mask, false));
        }
        try {
            WordTest.satisfy(tests).ifPresent(word -> assertThat(tests).allMatch(test -> test.holds(word)));
        } catch (SeccompException e) {
            assertThat(e.reason()).isEqualTo(SeccompException.Code.FILTER_UNREADABLE);
        }
    }

    @Test
    void no_test_at_all_is_met() {
        assertThat(WordTest.satisfy(List.of())).isPresent();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            8  | -1   | EQUAL            | 5      | true  | ip[0] == 5
            12 | -1   | EQUAL            | 5      | false | ip[1] != 5
            16 | -1   | GREATER          | 1023   | true  | arg0[0] > 1023
            20 | -1   | GREATER          | 1024   | false | arg0[1] <= 0x400
            24 | 0xff | GREATER_OR_EQUAL | -1     | true  | arg1[0] & 0xff >= 0xffffffff
            60 | -1   | GREATER_OR_EQUAL | 0      | false | arg5[1] < 0
            56 | -1   | ANY_BIT          | 2      | true  | arg5[0] & 2 != 0
            56 | -1   | ANY_BIT          | 2      | false | arg5[0] & 2 == 0
            """)
    void a_test_is_written_as_people_read_it(
            int offset, String mask, Node.Jump jump, int constant, boolean outcome, String text) {
        assertThat(new WordTest(offset, Integer.decode(mask), jump, constant, outcome))
                .hasToString(text);
    }
}
