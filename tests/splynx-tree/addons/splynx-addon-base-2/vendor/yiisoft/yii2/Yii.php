<?php

// The add-on's console asks for this file; the stand-in needs nothing of the framework.
class Yii
{
}
