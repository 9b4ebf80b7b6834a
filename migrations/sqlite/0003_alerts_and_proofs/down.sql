DROP TABLE proofs;

DROP TABLE alert_channels;

DROP TABLE alerts;
