<?php

// No setting of this add-on is encrypted by Splynx or differs by partner: nothing to override.
return [];
