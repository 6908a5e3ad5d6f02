package dev.caisson.gate.http2;

import java.util.Arrays;

/// The error codes of RFC 9113 section 7.
public enum ErrorCode {
    NO_ERROR(0x0),
    PROTOCOL_ERROR(0x1),
    INTERNAL_ERROR(0x2),
    FLOW_CONTROL_ERROR(0x3),
    SETTINGS_TIMEOUT(0x4),
    STREAM_CLOSED(0x5),
    FRAME_SIZE_ERROR(0x6),
    REFUSED_STREAM(0x7),
    CANCEL(0x8),
    COMPRESSION_ERROR(0x9),
    CONNECT_ERROR(0xa),
    ENHANCE_YOUR_CALM(0xb),
    INADEQUATE_SECURITY(0xc),
    HTTP_1_1_REQUIRED(0xd);

    private final int number;

    ErrorCode(int number) {
        this.number = number;
    }

    /// Returns the number that frames have.
    public int number() {
        return number;
    }

    /// Returns the code with a number; those that are unknown count as INTERNAL_ERROR.
    static ErrorCode of(long number) {
        return Arrays.stream(values())
                .filter(one -> one.number == number)
                .findFirst()
                .orElse(INTERNAL_ERROR);
    }
}
