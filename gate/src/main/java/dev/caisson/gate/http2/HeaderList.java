package dev.caisson.gate.http2;

import java.util.List;

/// The fields of a decoded header block, in their order.
///
/// @param tooLarge true if there were more than are kept
public record HeaderList(List<HeaderField> fields, boolean tooLarge) {
    public HeaderList {
        fields = List.copyOf(fields);
    }

    /// Returns the status of an answer; 0 if it has none that is valid.
    int status() {
        if (fields.isEmpty() || !fields.getFirst().name().equals(":status")) {
            return 0;
        }
        String text = fields.getFirst().value();
        return text.matches("[1-9][0-9]{2}") ? Integer.parseInt(text) : 0;
    }
}
