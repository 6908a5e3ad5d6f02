/// HTTP/2 frames, header compression and streams (RFC 9113, RFC 7541), for both sides of a connection. Knows nothing of
/// secrets and of TLS.
@org.jspecify.annotations.NullMarked
package dev.caisson.gate.http2;
