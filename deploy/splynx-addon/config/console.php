<?php

// Nothing to add to what the add-on base configures.
return function ($params, $baseDir) {
    return [];
};
