/**
 * What a data directory means when a broker opens it: its layout and metadata, the recovery of
 * topics and channels, and the backend of a channel.
 */
package io.holdfast.storage.topic;
