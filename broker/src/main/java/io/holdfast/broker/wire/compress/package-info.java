/**
 * snappy and deflate for the TCP protocol (contract §2): one pair of Netty handlers each, to be put
 * between TLS, if any, and the frame codec once the reply to IDENTIFY has been flushed.
 *
 * <p>Encoders gather what is written until the flush and compress it as one run; what a flush
 * leaves behind the peer can decode without waiting. Decoders hand on bounded pieces, a bounded
 * amount per turn of the event loop, and stop reading from the socket while they lag behind or the
 * connection has no use for input.
 */
package io.holdfast.broker.wire.compress;
