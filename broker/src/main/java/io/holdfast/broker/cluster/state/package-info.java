/**
 * What a replicated group holds, as a function of its log alone: topics, channels, their messages
 * and what is finished of them. See CLUSTER.md.
 */
package io.holdfast.broker.cluster.state;
