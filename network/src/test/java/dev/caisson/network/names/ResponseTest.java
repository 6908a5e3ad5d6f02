package dev.caisson.network.names;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Another server's answer is given on only if it answers the question and is whole.
class ResponseTest {
    private static final int ID = 0x7777;

    @Test
    void an_answer_is_given_on_with_the_clients_id_and_spelling() throws MalformedMessage {
        Query query = query("WeB.test");
        byte[] message = Messages.answer(Messages.query(ID, "web.test", 1), 192, 0, 2, 7);

        assertThat(Response.answers(message, message.length, ID, query)).isTrue();
        byte[] given = Response.read(message, message.length, query).bytes();

        byte[] expected = Messages.answer(Messages.query(0x1111, "WeB.test", 1), 192, 0, 2, 7);
        assertThat(given).isEqualTo(expected);
    }

    @Test
    void another_id_question_or_kind_is_no_answer() throws MalformedMessage {
        Query query = query("web.test");
        byte[] right = Messages.answer(Messages.query(ID, "web.test", 1), 192, 0, 2, 7);

        assertThat(Response.answers(right, right.length, ID + 1, query)).isFalse();
        assertThat(Response.answers(right, 20, ID, query)).isFalse();
        byte[] other = Messages.answer(Messages.query(ID, "wex.test", 1), 192, 0, 2, 7);
        assertThat(Response.answers(other, other.length, ID, query)).isFalse();
        byte[] type = Messages.answer(Messages.query(ID, "web.test", 28), 192, 0, 2, 7);
        assertThat(Response.answers(type, type.length, ID, query)).isFalse();
        byte[] question = right.clone();
        question[2] &= 0x7f;
        assertThat(Response.answers(question, question.length, ID, query)).isFalse();
        byte[] none = right.clone();
        none[5] = 0;
        assertThat(Response.answers(none, none.length, ID, query)).isFalse();
    }

    @Test
    void records_that_are_cut_and_bytes_behind_them_are_refused() throws MalformedMessage {
        Query query = query("web.test");
        byte[] right = Messages.answer(Messages.query(ID, "web.test", 1), 192, 0, 2, 7);
        for (int length = 26; length < right.length; length++) {
            refused(Arrays.copyOf(right, length), query);
        }
        refused(Arrays.copyOf(right, right.length + 1), query);
    }

    @Test
    void pointers_that_do_not_lead_backwards_are_refused() throws MalformedMessage {
        Query query = query("web.test");
        byte[] right = Messages.answer(Messages.query(ID, "web.test", 1), 192, 0, 2, 7);
        int pointer = right.length - 16;
        for (int target : new int[] {pointer, pointer + 1, right.length - 1, 0x3fff, 11}) {
            byte[] loop = right.clone();
            loop[pointer] = (byte) (0xc0 | target >> 8);
            loop[pointer + 1] = (byte) target;
            refused(loop, query);
        }
    }

    @Test
    void an_answer_that_did_not_fit_is_given_on_without_its_records() throws MalformedMessage {
        Query query = query("web.test");
        byte[] cut = Messages.answer(Messages.query(ID, "web.test", 1), 192, 0, 2, 7);
        cut[2] |= 2;
        cut = Arrays.copyOf(cut, cut.length - 3);

        Response response = Response.read(cut, cut.length, query);

        assertThat(response.truncated()).isTrue();
        assertThat(response.bytes()).hasSize(12 + query.question().length);
        assertThat(response.bytes()[2] & 2).isEqualTo(2);
        assertThat(response.bytes()[7]).isZero();
    }

    @Test
    void random_changes_are_read_or_refused() throws MalformedMessage {
        var random = new Random(1);
        Query query = query("web.test");
        byte[] right = Messages.answer(Messages.query(ID, "web.test", 1), 192, 0, 2, 7);
        for (int i = 0; i < 200_000; i++) {
            byte[] message = Arrays.copyOf(right, random.nextInt(right.length + 30));
            for (int change = random.nextInt(5); change > 0 && message.length > 0; change--) {
                message[random.nextInt(message.length)] = (byte) random.nextInt();
            }
            if (Response.answers(message, message.length, ID, query)) {
                try {
                    Response.read(message, message.length, query);
                } catch (MalformedMessage e) {
                    assertThat(e.answer()).isEqualTo(Wire.FORMAT_ERROR);
                }
            }
        }
    }

    private static Query query(String name) throws MalformedMessage {
        return QueryTest.read(Messages.query(0x1111, name, 1));
    }

    private static void refused(byte[] message, Query query) {
        assertThatExceptionOfType(MalformedMessage.class)
                .as("%d bytes", message.length)
                .isThrownBy(() -> Response.read(message, message.length, query));
    }
}
