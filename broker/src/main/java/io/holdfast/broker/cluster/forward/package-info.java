/**
 * Publishes of clients at any node: brought to the leader of the topic's group, and followed until
 * it is known what became of them.
 */
package io.holdfast.broker.cluster.forward;
