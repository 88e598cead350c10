/**
 * The relay: serves consumers at whatever node they are connected to, wherever their topic is led,
 * and through changes of the leader.
 */
package io.holdfast.broker.cluster.relay;
