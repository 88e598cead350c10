/**
 * The connections between the nodes of a cluster: requests and answers over mutual TLS, which know
 * nothing of what they carry. {@link io.holdfast.broker.cluster.peers.Peers} is the way in.
 *
 * <pre>
 * frame = i32 length of what follows, u8 kind, u8 type, i32 request id, payload
 * </pre>
 *
 * <p>Each node connects to each other one and sends its requests there; answers come back on the
 * same connection. The first frame each way is a {@link io.holdfast.broker.cluster.peers.Handshake}
 * as JSON, and nothing else is taken before. What is no frame, no known type or too long closes the
 * connection.
 */
package io.holdfast.broker.cluster.peers;
