package dev.caisson.network;

import dev.caisson.error.CodedException;
import dev.caisson.error.ErrorCode;
import java.io.Serial;

/// A network that cannot be made, found, used or removed as it was asked for.
public final class NetworkException extends CodedException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// The reason. Its name is the stable code.
    public enum Code implements ErrorCode {
        NETWORK_NOT_FOUND(404),
        NETWORK_AMBIGUOUS(400),
        NETWORK_EXISTS(409),
        NETWORK_IN_USE(409),
        NETWORK_REFUSED(400),
        NOT_CONNECTED(409),
        SUBNET_TAKEN(409),
        ADDRESS_TAKEN(409),
        ADDRESS_REFUSED(400),
        NO_SUBNET_LEFT(507),
        NO_ADDRESS_LEFT(507),
        PORT_TAKEN(409),
        PORT_REFUSED(400),
        EGRESS_REFUSED(400),
        LINK_REFUSED(400),
        NETWORKS_UNUSABLE(500);

        private final int httpStatus;

        Code(int httpStatus) {
            this.httpStatus = httpStatus;
        }

        @Override
        public int httpStatus() {
            return httpStatus;
        }
    }

    /// @param sentence what is wrong, with the value, then what to do
    public NetworkException(Code reason, String sentence) {
        super(reason, sentence);
    }

    public NetworkException(Code reason, String sentence, Throwable cause) {
        super(reason, sentence, cause);
    }

    @Override
    public Code reason() {
        return (Code) super.reason();
    }
}
